/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One connection after the other
 *
 *   waiting ──► (searching) ──► dialing ──► greeting ──► open
 *      ▲             │             │            │         │
 *      └─────────────┴─────────────┴────────────┴─────────┘  lose():
 *                                                                the only way back, with a pause
 *
 *     waiting     until the pause is over; then the address is asked for anew
 *     searching   only with sentinels: they name the master
 *     dialing     name, connection, TLS
 *     greeting    AUTH, SELECT and CLIENT SETNAME in one write; no answer may come unasked
 *     open        commands are taken; one that is sent before is refused, none is queued
 *
 * The pause is that of backoff.h; a connection that lived for five seconds starts it over.
 *
 * What becomes of a command
 *
 *     redis_client_send ──► unwritten ──► written, awaited ──► its reply: REDIS_OK
 *          │ refused: not open     │             │
 *          ▼                       └─────────────┴──(lost)──► REDIS_LOST
 *       false, no callback
 *
 * Replies come in the order of the commands. The oldest command without one has a time-out for its
 * answer, after which the whole connection is lost: what is behind it could not be told apart. A
 * reply that lies in the socket by then is read first.
 *
 * A turn reads, calls back, writes, and loses the connection in the end if somebody has found it
 * broken:
 *
 *     redis_client_turn: │ search, dial │ read ─► callbacks │ write │ broken? ─► lose ─► `closed`
 *
 * hiredis only reads the replies (redis_reader.c): its own connections resolve names in the
 * foreground and check no host name under TLS. Nothing is torn down while a callback runs, which
 * may send, flush and reopen: the end of a turn loses what was found broken.
 */
#include "lib/net/redis_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/net/dialer.h"
#include "lib/net/redis_greeting.h"
#include "lib/net/redis_pipeline.h"
#include "lib/net/redis_sentinel.h"

enum { STABLE_AFTER_MS = 5000 }; /* a connection that lived this long was no failed attempt */

enum client_state {
    CLIENT_WAITING,
    CLIENT_SEARCHING,
    CLIENT_DIALING,
    CLIENT_GREETING,
    CLIENT_OPEN
};

struct redis_client {
    struct redis_client_options options;
    struct event_loop *loop; /* borrowed: outlives us */
    enum client_state state;
    bool is_in_turn;
    int64_t now_ms; /* of the running turn */

    int64_t retry_at_ms;             /* waiting */
    unsigned failures;               /* attempts since the last connection that lived */
    struct redis_url url;            /* from searching to open, then wiped */
    struct redis_sentinel *search;   /* owned; searching */
    size_t sentinel;                 /* the one to ask first */
    size_t address;                  /* of the name's, the one to try first */
    char peer[REDIS_PEER_BYTES];     /* whom it talks with, or has last; "": nobody yet */
    struct dialer *dialer;           /* owned; dialing */
    struct redis_pipeline *pipeline; /* owned; greeting and open */
    struct redis_greetings greetings;
    int64_t opened_at_ms;

    bool has_failed, is_refused; /* the latter by an answer to a greeting */
    struct error failure;
    char reported[ERROR_MESSAGE_BYTES]; /* the reason last given to `closed` */
};

/* --- losing --- */

static void fail(struct redis_client *client, const char *reason)
{
    if (client->has_failed)
        return; /* the first reason is the cause of the others */
    client->has_failed = true;
    (void)error_set(&client->failure, ERROR_IO, "%s", reason);
}

/* Which parts there are in a state. What failed may be without its part until the turn's end. */
static bool is_sound(const struct redis_client *client)
{
    bool is_connected = client->state == CLIENT_GREETING || client->state == CLIENT_OPEN;
    return (client->search == NULL || client->state == CLIENT_SEARCHING) &&
           (client->dialer == NULL || client->state == CLIENT_DIALING) &&
           (client->pipeline != NULL) == is_connected;
}

static void release(struct redis_client *client)
{
    client->state = CLIENT_WAITING;
    redis_sentinel_destroy(STEAL(client->search));
    explicit_bzero(&client->url, sizeof client->url);
    dialer_destroy(STEAL(client->dialer));
    redis_pipeline_destroy(STEAL(client->pipeline));
    assert(is_sound(client));
}

static void lose(struct redis_client *client)
{
    assert(client->has_failed && (client->pipeline == NULL || client->peer[0] != '\0'));
    bool was_open = client->state == CLIENT_OPEN;
    if (was_open && client->now_ms - client->opened_at_ms >= STABLE_AFTER_MS)
        client->failures = 0;
    else
        client->sentinel++; /* this one may be cut off with a master of the past */
    client->failures++;
    client->retry_at_ms =
        client->now_ms + backoff_ms(client->options.reconnect_min_ms,
                                    client->options.reconnect_max_ms, client->failures);
    if (client->pipeline != NULL)
        (void)error_wrap(&client->failure, "%s", client->peer);
    release(client);
    client->has_failed = false;
    if (!was_open && strcmp(client->reported, client->failure.message) == 0)
        return;
    memcpy(client->reported, client->failure.message, sizeof client->reported);
    client->options.closed(client->options.context, client->reported);
}

/* --- dialing and greeting --- */

static void begin_dialing(struct redis_client *client)
{
    assert(client->state == CLIENT_SEARCHING);
    struct error error;
    client->state = CLIENT_DIALING;
    const struct dialer_target target = {.host = client->url.host,
                                         .port = client->url.port,
                                         .is_unix = client->url.scheme == REDIS_UNIX,
                                         .is_tls = client->url.scheme == REDIS_TLS,
                                         .tls = client->options.tls,
                                         .first = client->address,
                                         .lookup_ms = client->options.connect_timeout_ms,
                                         .step_ms = client->options.connect_timeout_ms};
    client->dialer = dialer_start(&target, client->loop, client->now_ms, &error);
    if (client->dialer == NULL)
        fail(client, error.message);
}

static void begin_attempt(struct redis_client *client)
{
    assert(client->state == CLIENT_WAITING);
    struct error error;
    client->state = CLIENT_SEARCHING;
    client->is_refused = false;
    if (!client->options.locate(client->options.context, &client->url, &error)) {
        fail(client, error.message);
        return;
    }
    if (client->url.sentinels.count == 0) {
        begin_dialing(client);
        return;
    }
    client->search = redis_sentinel_start(&client->url, &client->options.tls, client->sentinel,
                                          client->loop, client->now_ms, &error);
    if (client->search == NULL)
        fail(client, error.message);
}

static void search(struct redis_client *client)
{
    assert(client->state == CLIENT_SEARCHING);
    struct error error;
    switch (redis_sentinel_turn(client->search, client->now_ms, &error)) {
    case STREAM_AGAIN:
        break;
    case STREAM_DONE:
        client->sentinel = redis_sentinel_answered(client->search);
        client->url.port = redis_sentinel_master(client->search)->port;
        memcpy(client->url.host, redis_sentinel_master(client->search)->host,
               sizeof client->url.host);
        redis_sentinel_destroy(STEAL(client->search));
        begin_dialing(client);
        break;
    case STREAM_ENDED:
    case STREAM_FAILED:
        fail(client, error.message);
        break;
    }
}

static void welcome(struct redis_client *client)
{
    assert(client->state == CLIENT_GREETING);
    redis_pipeline_wipe(client->pipeline);
    explicit_bzero(&client->url, sizeof client->url);
    client->state = CLIENT_OPEN;
    client->opened_at_ms = client->now_ms;
    client->options.opened(client->options.context);
}

static void greeting_answered(void *context, enum redis_failure failure,
                              const struct redis_reply *reply)
{
    struct redis_client *client = context;
    if (failure != REDIS_OK)
        return;
    const char *reason = redis_greetings_refusal(&client->greetings, reply);
    client->is_refused |= reason != NULL && redis_reply_type(reply) == REDIS_TYPE_ERROR;
    if (reason == NULL && redis_pipeline_has_unwritten(client->pipeline))
        reason = "the peer is not Redis"; /* it answers before it is asked */
    if (reason != NULL)
        fail(client, reason);
    if (!client->has_failed && redis_greetings_are_done(&client->greetings))
        welcome(client);
}

static void greet(struct redis_client *client, struct stream *take_stream)
{
    assert(client->state == CLIENT_DIALING && client->pipeline == NULL);
    struct error error;
    client->state = CLIENT_GREETING;
    redis_url_write_peer(&client->url, client->peer);
    client->pipeline = redis_pipeline_create(take_stream, &error);
    if (client->pipeline == NULL ||
        !redis_greetings_send(&client->greetings, &client->url, client->pipeline, greeting_answered,
                              client, &error))
        fail(client, error.message);
}

static void dial(struct redis_client *client)
{
    struct error error;
    switch (dialer_turn(client->dialer, client->now_ms, &error)) {
    case STREAM_AGAIN:
        break;
    case STREAM_DONE:
        greet(client, dialer_take(client->dialer));
        dialer_destroy(STEAL(client->dialer));
        break;
    case STREAM_ENDED:
    case STREAM_FAILED:
        dialer_name_peer(client->dialer, &error);
        fail(client, error.message);
        break;
    }
}

/* --- talking --- */

static int64_t answer_deadline_ms(const struct redis_client *client)
{
    int64_t oldest_ms = redis_pipeline_oldest_ms(client->pipeline);
    return oldest_ms == INT64_MAX ? INT64_MAX : oldest_ms + client->options.command_timeout_ms;
}

static void fail_talking(struct redis_client *client, const char *reason)
{
    char text[ERROR_MESSAGE_BYTES];
    const char *hint = redis_greetings_hint(&client->greetings, &client->url);
    (void)snprintf(text, sizeof text, "%s%s", reason, hint);
    fail(client, text);
}

static void converse(struct redis_client *client)
{
    assert(client->state == CLIENT_GREETING || client->state == CLIENT_OPEN);
    struct error error;
    /* An overdue answer may lie in the socket, if this process was stopped for a while. */
    bool is_worth_reading = redis_pipeline_is_readable(client->pipeline) ||
                            client->now_ms >= answer_deadline_ms(client);
    if (is_worth_reading && !redis_pipeline_read(client->pipeline, &error))
        fail_talking(client, error.message);
    if (!client->has_failed && !redis_pipeline_write(client->pipeline, &error))
        fail_talking(client, error.message);
    if (client->now_ms < answer_deadline_ms(client))
        return;
    (void)error_set(&error, ERROR_IO, "Redis gave no answer within %u ms",
                    client->options.command_timeout_ms);
    fail(client, error.message);
}

/* --- the interface --- */

struct redis_client *redis_client_create(const struct redis_client_options *options,
                                         struct event_loop *loop, struct error *error)
{
    assert(options->connect_timeout_ms > 0 && options->command_timeout_ms > 0);
    assert(options->reconnect_min_ms > 0);
    struct redis_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    client->options = *options;
    client->loop = loop;
    return client;
}

void redis_client_destroy(struct redis_client *client)
{
    if (client == NULL)
        return;
    assert(!client->is_in_turn);
    release(client);
    free(client);
}

void redis_client_turn(struct redis_client *client, int64_t now_ms)
{
    assert(!client->is_in_turn);
    assert(is_sound(client));
    client->is_in_turn = true;
    client->now_ms = now_ms;
    if (client->state == CLIENT_WAITING && now_ms >= client->retry_at_ms)
        begin_attempt(client);
    if (client->search != NULL && !client->has_failed)
        search(client);
    if (client->dialer != NULL && !client->has_failed)
        dial(client);
    if (client->pipeline != NULL)
        converse(client);
    if (client->has_failed)
        lose(client);
    client->is_in_turn = false;
}

static int64_t deadline_ms(const struct redis_client *client)
{
    if (client->has_failed ||
        (client->pipeline != NULL && redis_pipeline_can_write(client->pipeline)))
        return 0;
    if (client->search != NULL)
        return redis_sentinel_deadline_ms(client->search);
    if (client->dialer != NULL)
        return dialer_deadline_ms(client->dialer);
    if (client->pipeline == NULL)
        return client->retry_at_ms;
    return answer_deadline_ms(client);
}

int64_t redis_client_timeout_ms(const struct redis_client *client, int64_t now_ms)
{
    int64_t deadline = deadline_ms(client);
    if (deadline == INT64_MAX)
        return -1;
    return deadline > now_ms ? deadline - now_ms : 0;
}

bool redis_client_is_open(const struct redis_client *client)
{
    return client->state == CLIENT_OPEN && !client->has_failed;
}

bool redis_client_is_refused(const struct redis_client *client)
{
    return client->is_refused;
}

const char *redis_client_peer(const struct redis_client *client)
{
    return client->peer;
}

void redis_client_reopen(struct redis_client *client, const char *reason)
{
    if (client->state == CLIENT_WAITING)
        return;
    client->address++;
    fail(client, reason);
}

bool redis_client_send(struct redis_client *client, size_t argument_count,
                       const char *const arguments[], const size_t lengths[], redis_done done,
                       void *context, struct error *error)
{
    if (!redis_client_is_open(client))
        return error_set(error, ERROR_IO, "Redis is not connected");
    return redis_pipeline_send(client->pipeline, argument_count, arguments, lengths, done, context,
                               error);
}

void redis_client_flush(struct redis_client *client)
{
    struct error error;
    if (redis_client_is_open(client) && !redis_pipeline_write(client->pipeline, &error))
        fail(client, error.message);
}

struct redis_reply *redis_client_keep_reply(struct redis_client *client)
{
    return redis_pipeline_keep_reply(client->pipeline);
}
