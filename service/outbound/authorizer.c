/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/authorizer.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

#include "service/tracing/tracer.h"

enum {
    LINE_BYTES_MAX = 16 * 1024,
    REQUEST_BYTES_MAX = 128 * 1024,
    FETCHING_RECHECK_MS = 1000, /* its end wakes this worker */
};

void authorizer_init(struct authorizer *authorizer, struct worker_shared *shared,
                     struct http_client *http)
{
    *authorizer = (struct authorizer){.shared = shared, .http = http};
    buffer_init(&authorizer->line, LINE_BYTES_MAX);
    buffer_init(&authorizer->line_before, LINE_BYTES_MAX);
}

void authorizer_fini(struct authorizer *authorizer)
{
    buffer_wipe(&authorizer->line);
    buffer_fini(&authorizer->line);
    buffer_wipe(&authorizer->line_before);
    buffer_fini(&authorizer->line_before);
    free(authorizer->span);
}

const char *authorizer_text(const struct buffer *line)
{
    const size_t start_length = sizeof ACCESS_TOKEN_LINE_START - 1;
    return line->length > start_length ? line->bytes + start_length : "";
}

static void report_failure(struct worker_shared *shared, const char *reason)
{
    if (worker_shared_turn(&shared->is_token_missing, true))
        log_error("access_token_failed",
                  "No new access token can be fetched; the pauses between the tries grow",
                  LOG_TEXT("url", shared->upstream.token_url), LOG_TEXT("detail", reason));
    else
        log_debug("access_token_failed", "There is still no access token",
                  LOG_TEXT("detail", reason));
}

/* `reason`: why there is no access token; NULL: there is one. */
static void end_span(struct authorizer *authorizer, const struct http_exchange *exchange,
                     const char *reason)
{
    struct span *span = authorizer->span;
    authorizer->span = NULL;
    if (span == NULL)
        return;
    span->http_status = exchange->status;
    if (reason != NULL)
        (void)snprintf(span->error_type, sizeof span->error_type, "%s", reason);
    tracer_end(authorizer->shared->tracer, span, exchange->duration_us);
}

/* A small number of words, as error.type wants it: the issuer's own are in the log. */
static const char *reason_of(const struct http_exchange *exchange, char text[16])
{
    if (exchange->outcome == HTTP_TIMED_OUT)
        return "TIMEOUT";
    if (exchange->outcome != HTTP_ANSWERED)
        return "NO_ANSWER";
    if (exchange->status >= 200 && exchange->status <= 299)
        return "NO_ACCESS_TOKEN";
    (void)snprintf(text, 16, "%u", exchange->status);
    return text;
}

static void take_fetched(struct authorizer *authorizer, const struct http_exchange *exchange,
                         int64_t now_ms)
{
    struct worker_shared *shared = authorizer->shared;
    char reason[16];
    struct error error;
    upstream_note_token_answer(&shared->upstream, exchange);
    if (!access_token_refreshed(shared->access_token, exchange, now_ms, random_u64(), &error)) {
        end_span(authorizer, exchange, reason_of(exchange, reason));
        report_failure(shared, error.message);
        return;
    }
    end_span(authorizer, exchange, NULL);
    if (worker_shared_turn(&shared->is_token_missing, false))
        log_info("access_token_recovered", "New access tokens can be fetched again");
}

/* Whoever looks at what is due has perhaps been told to wait for as long as the fetch may take. */
static void on_fetched(void *context, const struct http_exchange *exchange)
{
    struct authorizer *authorizer = context;
    struct worker_shared *shared = authorizer->shared;
    int64_t now_ms = clock_monotonic_ms();
    authorizer->is_fetching = false;
    if (authorizer->is_stopping) {
        end_span(authorizer, exchange, "SHUTDOWN");
        access_token_failed(shared->access_token, "stopping", false, now_ms, random_u64());
        return;
    }
    take_fetched(authorizer, exchange, now_ms);
    due_watch_wake_one(&shared->due_watch);
}

static bool fetch(struct authorizer *authorizer, struct error *error)
{
    struct worker_shared *shared = authorizer->shared;
    struct buffer body;
    buffer_init(&body, REQUEST_BYTES_MAX);
    bool is_started = access_token_request(shared->access_token, &body, error) &&
                      upstream_fetch_token(&shared->upstream, authorizer->http, body.bytes,
                                           body.length, on_fetched, authorizer, error);
    buffer_wipe(&body);
    buffer_fini(&body);
    return is_started;
}

static void start_fetch(struct authorizer *authorizer, int64_t now_ms)
{
    struct error error;
    authorizer->span = tracer_begin(authorizer->shared->tracer, SPAN_ACCESS_TOKEN, NULL);
    authorizer->is_fetching = fetch(authorizer, &error);
    if (authorizer->is_fetching)
        return;
    free(authorizer->span);
    authorizer->span = NULL;
    access_token_failed(authorizer->shared->access_token, error.message, false, now_ms,
                        random_u64());
    report_failure(authorizer->shared, error.message);
}

static void take_line(struct authorizer *authorizer, struct buffer *line, uint64_t generation)
{
    if (generation != authorizer->generation) {
        buffer_wipe(&authorizer->line_before);
        buffer_fini(&authorizer->line_before);
        authorizer->line_before = authorizer->line;
        authorizer->generation = generation;
    } else {
        buffer_wipe(&authorizer->line);
        buffer_fini(&authorizer->line);
    }
    authorizer->line = *line;
}

bool authorizer_prepare(struct authorizer *authorizer, int64_t now_ms, int64_t *out_wait_ms)
{
    struct buffer line;
    uint64_t generation = 0;
    buffer_init(&line, LINE_BYTES_MAX);
    *out_wait_ms = FETCHING_RECHECK_MS;
    switch (access_token_acquire(authorizer->shared->access_token, now_ms, &line, &generation,
                                 out_wait_ms)) {
    case ACCESS_TOKEN_READY_REFRESH:
        take_line(authorizer, &line, generation);
        start_fetch(authorizer, now_ms);
        return true;
    case ACCESS_TOKEN_READY:
        take_line(authorizer, &line, generation);
        return true;
    case ACCESS_TOKEN_REFRESH:
        start_fetch(authorizer, now_ms);
        break;
    case ACCESS_TOKEN_WAIT:
        break;
    }
    buffer_fini(&line);
    return false;
}
