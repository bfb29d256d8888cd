/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 *   dialing ──► asking ──► the master is known
 *      ▲           │
 *      └───────────┘  the next sentinel, until each was asked
 */
#include "lib/net/redis_sentinel.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/dialer.h"
#include "lib/net/host.h"
#include "lib/net/redis_client.h"
#include "lib/net/redis_pipeline.h"

/* For its name, for each address, and for its answer. Sentinels are near and idle, and while one
 * that is dead is waited for, no event is taken. */
enum { STEP_MS = 300 };

struct redis_sentinel {
    const struct redis_url *url; /* borrowed: outlives us, as the loop */
    struct tls_files tls;        /* borrowed, as the URL */
    struct event_loop *loop;
    size_t current;                  /* number of the one that is asked */
    size_t asked;                    /* how many, with this one */
    int64_t deadline_ms;             /* asking */
    struct dialer *dialer;           /* owned; dialing */
    struct redis_pipeline *pipeline; /* owned; asking */
    struct redis_address master;     /* port 0: not known */
    bool is_unknown;                 /* a sentinel does not know the master */
    struct error failure;            /* of the one that is asked */
    struct error first_failure;      /* of number 0: always the same one is named */
};

static const struct redis_address *address_of(const struct redis_sentinel *search)
{
    assert(search->current < search->url->sentinels.count);
    return &search->url->sentinels.addresses[search->current];
}

static void fail(struct redis_sentinel *search, const char *reason)
{
    if (search->failure.kind == ERROR_NONE)
        (void)error_set(&search->failure, ERROR_IO, "%s", reason);
}

/* --- dialing --- */

static void hang_up(struct redis_sentinel *search)
{
    dialer_destroy(STEAL(search->dialer));
    redis_pipeline_destroy(STEAL(search->pipeline));
}

static void dial(struct redis_sentinel *search, int64_t now_ms)
{
    const struct dialer_target target = {.host = address_of(search)->host,
                                         .port = address_of(search)->port,
                                         .is_tls = search->url->scheme == REDIS_TLS,
                                         .tls = search->tls,
                                         .lookup_ms = STEP_MS,
                                         .step_ms = STEP_MS};
    struct error error;
    search->asked++;
    assert(search->asked <= search->url->sentinels.count);
    search->failure.kind = ERROR_NONE;
    hang_up(search);
    search->dialer = dialer_start(&target, search->loop, now_ms, &error);
    if (search->dialer == NULL)
        fail(search, error.message);
}

struct redis_sentinel *redis_sentinel_start(const struct redis_url *url,
                                            const struct tls_files *tls, size_t first,
                                            struct event_loop *loop, int64_t now_ms,
                                            struct error *error)
{
    assert(url->sentinels.count > 0);
    struct redis_sentinel *search = calloc(1, sizeof *search);
    if (search == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    search->url = url;
    search->tls = *tls;
    search->loop = loop;
    search->current = first % url->sentinels.count;
    dial(search, now_ms);
    return search;
}

void redis_sentinel_destroy(struct redis_sentinel *search)
{
    if (search == NULL)
        return;
    hang_up(search);
    free(search);
}

/* --- asking: never anything of the sentinel's text, which may repeat the password --- */

static void authenticated(void *context, enum redis_failure failure,
                          const struct redis_reply *reply)
{
    if (failure == REDIS_OK && redis_reply_type(reply) == REDIS_TYPE_ERROR)
        fail(context, "it refuses the password of ?sentinelPassword=");
}

static void read_master(struct redis_sentinel *search, const struct redis_reply *reply)
{
    assert(search->master.port == 0);
    const char *host = redis_reply_text(redis_reply_item(reply, 0), NULL);
    int64_t port = redis_reply_integer(redis_reply_item(reply, 1));
    if (host[0] == '\0' || strlen(host) >= sizeof search->master.host || port < 1 ||
        port > UINT16_MAX) {
        fail(search, "its answer is not an address");
        return;
    }
    (void)snprintf(search->master.host, sizeof search->master.host, "%s", host);
    search->master.port = (uint16_t)port;
}

/* NULL: the reply is an address. */
static const char *failure_in(const struct redis_reply *reply)
{
    enum redis_type type = redis_reply_type(reply);
    if (type == REDIS_TYPE_NIL)
        return "it does not know the master";
    if (type == REDIS_TYPE_ERROR)
        return strncmp(redis_reply_text(reply, NULL), "NOAUTH", 6) == 0
                   ? "it demands a password: ?sentinelPassword="
                   : "it is not a sentinel, or forbids SENTINEL GET-MASTER-ADDR-BY-NAME";
    return redis_reply_length(reply) == 2 ? NULL : "it is not a sentinel";
}

static void answered(void *context, enum redis_failure failure, const struct redis_reply *reply)
{
    struct redis_sentinel *search = context;
    if (failure != REDIS_OK || search->failure.kind != ERROR_NONE)
        return;
    search->is_unknown = search->is_unknown || redis_reply_type(reply) == REDIS_TYPE_NIL;
    const char *reason = failure_in(reply);
    if (reason == NULL)
        read_master(search, reply);
    else
        fail(search, reason);
}

static void ask(struct redis_sentinel *search, struct stream *take_stream, int64_t now_ms)
{
    assert(search->pipeline == NULL);
    const struct redis_sentinels *sentinels = &search->url->sentinels;
    struct error error;
    search->deadline_ms = now_ms + STEP_MS;
    search->pipeline = redis_pipeline_create(take_stream, &error);
    bool is_sent = search->pipeline != NULL;
    if (is_sent && sentinels->password[0] != '\0')
        is_sent =
            redis_pipeline_send(search->pipeline, 2, (const char *[]){"AUTH", sentinels->password},
                                NULL, authenticated, search, &error);
    is_sent = is_sent && redis_pipeline_send(search->pipeline, 3,
                                             (const char *[]){"SENTINEL", "GET-MASTER-ADDR-BY-NAME",
                                                              sentinels->master},
                                             NULL, answered, search, &error);
    if (!is_sent)
        fail(search, error.message);
}

/* --- the turn --- */

static void advance_dialing(struct redis_sentinel *search, int64_t now_ms)
{
    struct error error;
    switch (dialer_turn(search->dialer, now_ms, &error)) {
    case STREAM_AGAIN:
        break;
    case STREAM_DONE:
        ask(search, dialer_take(search->dialer), now_ms);
        dialer_destroy(STEAL(search->dialer));
        break;
    case STREAM_ENDED:
    case STREAM_FAILED:
        fail(search, error.message);
        break;
    }
}

static void advance_asking(struct redis_sentinel *search)
{
    struct error error;
    if (!redis_pipeline_write(search->pipeline, &error) ||
        (redis_pipeline_is_readable(search->pipeline) &&
         !redis_pipeline_read(search->pipeline, &error)))
        fail(search, error.message);
}

/* True when the present sentinel has said what there is to say. */
static bool is_over(struct redis_sentinel *search, int64_t now_ms)
{
    if (search->master.port == 0 && search->pipeline != NULL && now_ms >= search->deadline_ms)
        fail(search, "no answer in time");
    return search->master.port != 0 || search->failure.kind != ERROR_NONE;
}

static bool dial_next(struct redis_sentinel *search, int64_t now_ms)
{
    if (search->current == 0)
        search->first_failure = search->failure;
    if (search->asked == search->url->sentinels.count)
        return false;
    search->current = (search->current + 1) % search->url->sentinels.count;
    dial(search, now_ms);
    return true;
}

static enum stream_status give_up(const struct redis_sentinel *search, struct error *error)
{
    const struct redis_sentinels *sentinels = &search->url->sentinels;
    char first[HOST_PORT_BYTES];
    host_port_write(sentinels->addresses[0].host, sentinels->addresses[0].port, first);
    if (search->is_unknown)
        (void)error_set(error, ERROR_IO, "the sentinels do not know the master %s",
                        sentinels->master);
    else
        (void)error_set(error, ERROR_IO, "no sentinel names the master; %s: %s", first,
                        search->first_failure.message);
    return STREAM_FAILED;
}

enum stream_status redis_sentinel_turn(struct redis_sentinel *search, int64_t now_ms,
                                       struct error *error)
{
    do {
        if (search->dialer != NULL)
            advance_dialing(search, now_ms);
        if (search->pipeline != NULL && search->failure.kind == ERROR_NONE)
            advance_asking(search);
        if (!is_over(search, now_ms))
            return STREAM_AGAIN;
        if (search->master.port != 0)
            return STREAM_DONE;
    } while (dial_next(search, now_ms));
    return give_up(search, error);
}

const struct redis_address *redis_sentinel_master(const struct redis_sentinel *search)
{
    assert(search->master.port != 0); /* the turn said STREAM_DONE */
    return &search->master;
}

size_t redis_sentinel_answered(const struct redis_sentinel *search)
{
    return search->current;
}

int64_t redis_sentinel_deadline_ms(const struct redis_sentinel *search)
{
    return search->dialer != NULL ? dialer_deadline_ms(search->dialer) : search->deadline_ms;
}
