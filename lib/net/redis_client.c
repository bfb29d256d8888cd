/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 *   waiting ──► (searching) ──► dialing ──► greeting ──► open
 *      ▲             │             │            │         │
 *      └─────────────┴─────────────┴────────────┴─────────┘  lose(): the only way back, with a
 * pause
 *
 * hiredis only reads the replies (redis_reader.c): its own connections resolve names in the
 * foreground and check no host name under TLS. Nothing is torn down while a callback runs: whoever
 * finds the connection broken dooms it, and the end of the turn loses it. So a callback may send,
 * flush and reopen.
 */
#include "lib/net/redis_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/random.h"
#include "lib/net/dialer.h"
#include "lib/net/redis_greeting.h"
#include "lib/net/redis_pipeline.h"
#include "lib/net/redis_sentinel.h"

enum {
    STABLE_AFTER_MS = 5000, /* a connection that lived this long was no failed attempt */
    DOUBLINGS_MAX = 32,
};

enum client_state {
    CLIENT_WAITING,
    CLIENT_SEARCHING,
    CLIENT_DIALING,
    CLIENT_GREETING,
    CLIENT_OPEN
};

struct redis_client {
    struct redis_client_options options;
    enum client_state state;
    bool is_in_turn;
    int64_t now_ms; /* of the running turn */

    int64_t retry_at_ms;             /* waiting */
    unsigned failures;               /* attempts since the last connection that lived */
    struct redis_url url;            /* from searching to open, then wiped */
    struct redis_sentinel *search;   /* owned; searching */
    size_t sentinel;                 /* the one to ask first */
    struct dialer *dialer;           /* owned; dialing */
    struct redis_pipeline *pipeline; /* owned; greeting and open */
    struct redis_greeting greetings[REDIS_GREETINGS_MAX];
    char database_text[11];
    size_t greetings_count, greetings_answered;
    int64_t opened_at_ms;

    bool is_doomed;
    struct error doom;
    char reported[ERROR_MESSAGE_BYTES]; /* the reason last given to `closed` */
};

/* --- losing --- */

static void doom(struct redis_client *client, const char *reason)
{
    if (client->is_doomed)
        return; /* the first reason is the cause of the others */
    client->is_doomed = true;
    (void)error_set(&client->doom, ERROR_IO, "%s", reason);
}

/* Jitter over the whole range, so that many clients do not come back in step; never below the
 * minimum. */
static int64_t pause_ms(const struct redis_client *client)
{
    uint64_t min = client->options.reconnect_min_ms;
    uint64_t most = client->options.reconnect_max_ms;
    unsigned doublings = client->failures < DOUBLINGS_MAX ? client->failures : DOUBLINGS_MAX;
    if (most > min << doublings)
        most = min << doublings;
    return (int64_t)(most > min ? min + random_u64() % (most - min + 1) : min);
}

static void release(struct redis_client *client)
{
    client->state = CLIENT_WAITING;
    redis_sentinel_destroy(STEAL(client->search));
    explicit_bzero(&client->url, sizeof client->url);
    dialer_destroy(STEAL(client->dialer));
    redis_pipeline_destroy(STEAL(client->pipeline));
}

static void lose(struct redis_client *client)
{
    bool was_open = client->state == CLIENT_OPEN;
    if (was_open && client->now_ms - client->opened_at_ms >= STABLE_AFTER_MS)
        client->failures = 0;
    else
        client->sentinel++; /* this one may be cut off with a master of the past */
    client->failures++;
    client->retry_at_ms = client->now_ms + pause_ms(client);
    release(client);
    client->is_doomed = false;
    if (!was_open && strcmp(client->reported, client->doom.message) == 0)
        return;
    memcpy(client->reported, client->doom.message, sizeof client->reported);
    client->options.closed(client->options.context, client->reported);
}

/* --- dialing and greeting --- */

static void begin_dialing(struct redis_client *client)
{
    struct error error;
    client->state = CLIENT_DIALING;
    const struct dialer_target target = {.host = client->url.host,
                                         .port = client->url.port,
                                         .is_unix = client->url.scheme == REDIS_UNIX,
                                         .is_tls = client->url.scheme == REDIS_TLS,
                                         .ca_file = client->options.ca_file,
                                         .step_ms = client->options.connect_timeout_ms};
    client->dialer = dialer_start(&target, client->now_ms, &error);
    if (client->dialer == NULL)
        doom(client, error.message);
}

static void begin_attempt(struct redis_client *client)
{
    struct error error;
    client->state = CLIENT_SEARCHING;
    if (!client->options.locate(client->options.context, &client->url, &error)) {
        doom(client, error.message);
        return;
    }
    if (client->url.sentinels.count == 0) {
        begin_dialing(client);
        return;
    }
    client->search = redis_sentinel_start(&client->url, client->sentinel, client->now_ms, &error);
    if (client->search == NULL)
        doom(client, error.message);
}

static void search(struct redis_client *client, bool is_writable)
{
    struct error error;
    switch (redis_sentinel_turn(client->search, client->now_ms, is_writable, &error)) {
    case STREAM_AGAIN:
        break;
    case STREAM_DONE:
        client->sentinel = redis_sentinel_answered(client->search);
        client->url.port = redis_sentinel_master(client->search)->port;
        memcpy(client->url.host, redis_sentinel_master(client->search)->host,
               sizeof client->url.host);
        begin_dialing(client);
        break;
    case STREAM_ENDED:
    case STREAM_FAILED:
        doom(client, error.message);
        break;
    }
}

static void welcome(struct redis_client *client)
{
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
    const char *reason =
        redis_greeting_refusal(&client->greetings[client->greetings_answered++], reply);
    if (reason == NULL && redis_pipeline_has_unwritten(client->pipeline))
        reason = "the peer is not Redis"; /* it answers before it is asked */
    if (reason != NULL)
        doom(client, reason);
    if (!client->is_doomed && client->greetings_answered == client->greetings_count)
        welcome(client);
}

static void greet(struct redis_client *client, struct stream *take_stream)
{
    struct error error;
    client->state = CLIENT_GREETING;
    client->pipeline = redis_pipeline_create(take_stream, &error);
    client->greetings_answered = 0;
    client->greetings_count =
        redis_greetings(&client->url, client->database_text, client->greetings);
    bool is_sent = client->pipeline != NULL;
    for (size_t i = 0; is_sent && i < client->greetings_count; i++)
        is_sent = redis_pipeline_send(client->pipeline, client->greetings[i].argument_count,
                                      client->greetings[i].arguments, NULL, greeting_answered,
                                      client, &error);
    if (!is_sent)
        doom(client, error.message);
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
        doom(client, error.message);
        break;
    }
}

/* --- talking --- */

static int64_t answer_deadline_ms(const struct redis_client *client)
{
    int64_t oldest_ms = redis_pipeline_oldest_ms(client->pipeline);
    return oldest_ms == INT64_MAX ? INT64_MAX : oldest_ms + client->options.command_timeout_ms;
}

static void converse(struct redis_client *client, bool is_readable, bool is_writable)
{
    struct error error;
    /* An overdue answer may lie in the socket: after the process itself was stopped for a while,
     * say. */
    bool is_worth_reading = is_readable || client->now_ms >= answer_deadline_ms(client);
    if (is_worth_reading && !redis_pipeline_read(client->pipeline, &error))
        doom(client, error.message);
    if (is_writable)
        redis_pipeline_unblock(client->pipeline);
    if (!client->is_doomed && !redis_pipeline_write(client->pipeline, &error))
        doom(client, error.message);
    if (client->now_ms < answer_deadline_ms(client))
        return;
    (void)error_set(&error, ERROR_IO, "Redis gave no answer within %u ms",
                    client->options.command_timeout_ms);
    doom(client, error.message);
}

/* --- the interface --- */

struct redis_client *redis_client_create(const struct redis_client_options *options,
                                         struct error *error)
{
    assert(options->connect_timeout_ms > 0 && options->command_timeout_ms > 0);
    assert(options->reconnect_min_ms > 0);
    struct redis_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    client->options = *options;
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

void redis_client_turn(struct redis_client *client, int64_t now_ms, bool is_readable,
                       bool is_writable)
{
    assert(!client->is_in_turn);
    client->is_in_turn = true;
    client->now_ms = now_ms;
    if (client->state == CLIENT_WAITING && now_ms >= client->retry_at_ms)
        begin_attempt(client);
    if (client->search != NULL && !client->is_doomed)
        search(client, is_writable);
    if (client->dialer != NULL && !client->is_doomed)
        dial(client);
    if (client->state != CLIENT_SEARCHING) /* only now, or the new descriptor had the old number */
        redis_sentinel_destroy(STEAL(client->search));
    if (client->pipeline != NULL)
        converse(client, is_readable, is_writable);
    if (client->is_doomed)
        lose(client);
    client->is_in_turn = false;
}

static int64_t deadline_ms(const struct redis_client *client)
{
    if (client->is_doomed)
        return 0;
    if (client->search != NULL)
        return redis_sentinel_deadline_ms(client->search);
    if (client->dialer != NULL)
        return dialer_deadline_ms(client->dialer);
    if (client->pipeline == NULL)
        return client->retry_at_ms;
    return answer_deadline_ms(client);
}

void redis_client_interest(const struct redis_client *client, int64_t now_ms,
                           struct redis_interest *out)
{
    *out = (struct redis_interest){.fd = -1};
    if (client->pipeline != NULL) {
        out->fd = redis_pipeline_fd(client->pipeline);
        out->want_read = true;
        out->want_write = redis_pipeline_has_unwritten(client->pipeline);
    } else if (client->search != NULL) {
        out->fd = redis_sentinel_fd(client->search);
        out->want_write = redis_sentinel_wants_write(client->search);
        out->want_read = !out->want_write;
    } else if (client->dialer != NULL) {
        out->fd = dialer_fd(client->dialer);
        out->want_write = dialer_wants_write(client->dialer);
        out->want_read = !out->want_write;
    }
    int64_t deadline = deadline_ms(client);
    if (deadline == INT64_MAX)
        out->timeout_ms = -1;
    else
        out->timeout_ms = deadline > now_ms ? deadline - now_ms : 0;
}

bool redis_client_is_open(const struct redis_client *client)
{
    return client->state == CLIENT_OPEN && !client->is_doomed;
}

void redis_client_reopen(struct redis_client *client, const char *reason)
{
    if (client->state != CLIENT_WAITING)
        doom(client, reason);
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
        doom(client, error.message);
}

size_t redis_client_pending(const struct redis_client *client)
{
    return client->state == CLIENT_OPEN ? redis_pipeline_pending(client->pipeline) : 0;
}

struct redis_reply *redis_client_keep_reply(struct redis_client *client)
{
    return redis_pipeline_keep_reply(client->pipeline);
}
