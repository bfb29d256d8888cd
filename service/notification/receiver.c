/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/receiver.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/net/http_client.h"

#include "service/domain/upstream_reply.h"
#include "service/notification/webhook.h"

enum {
    ANSWER_BYTES_MAX = 64 * 1024, /* it is not read */
    CONNECTION_LIFE_S = 300,
    REASON_BYTES = ERROR_MESSAGE_BYTES,
};

struct receiver {
    struct receiver_options options;
    receiver_done done;
    void *context;
    struct http_client *http; /* owned */
    bool is_sending, is_gone;
    unsigned failures; /* in a row */
    unsigned refusals; /* of the content, in a row, of the one named here */
    char refused_id[NOTIFICATION_ID_BYTES];
    char id[NOTIFICATION_ID_BYTES]; /* of the one on its way */
    int64_t quiet_until_ms;
    char reason[REASON_BYTES];
};

/* --- what came of a request --- */

static void keep_quiet(struct receiver *receiver, const char *retry_after)
{
    const struct receiver_options *options = &receiver->options;
    int64_t pause_ms =
        backoff_ms(options->pause_base_ms, options->pause_max_ms, receiver->failures++);
    int64_t asked_ms =
        retry_after != NULL ? retry_after_parse_ms(retry_after, clock_wall_ms()) : -1;
    if (asked_ms > pause_ms)
        pause_ms = asked_ms < RECEIVER_QUIET_MAX_MS ? asked_ms : RECEIVER_QUIET_MAX_MS;
    assert(pause_ms > 0);
    receiver->quiet_until_ms = clock_monotonic_ms() + pause_ms;
}

/* These are about what was sent, and say the same next time; every other 4xx may be a mistake of a
 * setting that somebody mends. */
static bool is_about_content(unsigned status)
{
    return status == 400 || status == 413 || status == 415 || status == 422;
}

/* Whether it has refused this one often enough. */
static bool count_refusal(struct receiver *receiver)
{
    if (strcmp(receiver->refused_id, receiver->id) != 0)
        receiver->refusals = 0;
    memcpy(receiver->refused_id, receiver->id, sizeof receiver->refused_id);
    receiver->refusals++;
    assert(receiver->refusals <= RECEIVER_REFUSALS_MAX);
    if (receiver->refusals < RECEIVER_REFUSALS_MAX)
        return false;
    receiver->refused_id[0] = '\0';
    return true;
}

static enum receiver_verdict judge(struct receiver *receiver, const struct http_exchange *exchange)
{
    unsigned status = exchange->outcome == HTTP_PROXY_REFUSED ? 0 : exchange->status;
    if (status >= 200 && status <= 299) {
        receiver->reason[0] = '\0'; /* whatever its body is */
        receiver->failures = 0;
        receiver->quiet_until_ms = 0;
        return RECEIVER_TOOK;
    }
    if (status > 0)
        (void)snprintf(receiver->reason, REASON_BYTES, "the receiver answers HTTP %u", status);
    else
        (void)snprintf(receiver->reason, REASON_BYTES, "%.*s", REASON_BYTES - 1, exchange->detail);
    receiver->is_gone = status == 410;
    if (receiver->is_gone)
        return RECEIVER_GONE;
    keep_quiet(receiver, exchange->retry_after);
    return is_about_content(status) && count_refusal(receiver) ? RECEIVER_REFUSED : RECEIVER_FAILED;
}

static void on_answered(void *context, const struct http_exchange *exchange)
{
    struct receiver *receiver = context;
    assert(receiver->is_sending);
    receiver->is_sending = false;
    enum receiver_verdict verdict = judge(receiver, exchange);
    receiver->done(receiver->context, verdict, receiver->reason);
}

/* --- sending --- */

bool receiver_is_free(const struct receiver *receiver, int64_t now_ms)
{
    return !receiver->is_sending && !receiver->is_gone && now_ms >= receiver->quiet_until_ms;
}

bool receiver_is_sending(const struct receiver *receiver)
{
    return receiver->is_sending;
}

const char *receiver_reason(const struct receiver *receiver)
{
    return receiver->reason;
}

static bool start(struct receiver *receiver, const struct buffer *body, struct error *error)
{
    static const char content_type[] = "Content-Type: application/cloudevents+json; charset=utf-8";
    struct webhook_headers headers;
    const struct webhook_message message = {.id = receiver->id,
                                            .sent_at_s = clock_wall_ms() / 1000,
                                            .body = body->bytes,
                                            .body_length = body->length};
    if (!webhook_sign(&message, receiver->options.secret, &headers, error))
        return error_wrap(error, "NOTIFY_SECRET");
    const char *const lines[] = {content_type, headers.id, headers.timestamp, headers.signature,
                                 NULL};
    const struct http_transfer transfer = {
        .url = receiver->options.url,
        .proxy = receiver->options.proxy,
        .body = body->bytes,
        .body_length = body->length,
        .headers = lines,
        .user_agent = receiver->options.user_agent,
        .timeout_ms = receiver->options.timeout_ms,
        .answer_bytes_max = ANSWER_BYTES_MAX,
        .done = on_answered,
        .context = receiver,
    };
    return http_client_start(receiver->http, &transfer, error);
}

void receiver_send(struct receiver *receiver, const char id[NOTIFICATION_ID_BYTES],
                   const struct buffer *body, int64_t now_ms)
{
    assert(receiver_is_free(receiver, now_ms));
    assert(body->length > 0);
    struct error error;
    (void)snprintf(receiver->id, sizeof receiver->id, "%s", id);
    receiver->is_sending = start(receiver, body, &error);
    if (receiver->is_sending)
        return;
    (void)snprintf(receiver->reason, REASON_BYTES, "%s", error.message);
    keep_quiet(receiver, NULL);
    receiver->done(receiver->context, RECEIVER_FAILED, receiver->reason);
}

int64_t receiver_timeout_ms(const struct receiver *receiver)
{
    return http_client_timeout_ms(receiver->http);
}

void receiver_turn(struct receiver *receiver)
{
    http_client_turn(receiver->http);
}

/* --- life --- */

struct receiver *receiver_create(const struct receiver_options *options, struct event_loop *loop,
                                 receiver_done done, void *context, struct error *error)
{
    assert(options->pause_base_ms > 0 && options->timeout_ms > 0);
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    receiver->options = *options;
    receiver->done = done;
    receiver->context = context;
    const struct http_client_options http = {
        .ca_file = options->ca_file,
        .connections_max = 1,
        .connection_life_max_s = CONNECTION_LIFE_S,
        .connect_timeout_ms = options->timeout_ms,
    };
    receiver->http = http_client_create(&http, loop, error);
    if (receiver->http != NULL)
        return receiver;
    receiver_destroy(receiver);
    return NULL;
}

void receiver_destroy(struct receiver *receiver)
{
    if (receiver == NULL)
        return;
    http_client_destroy(receiver->http);
    free(receiver);
}
