/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/sender.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

#include "service/tracing/tracer.h"

/* --- judging ----------------------------------------------------------------------- */

static const enum settle_action settle_actions[] = {
    [RETRY_DONE] = SETTLE_DELIVERED,
    [RETRY_LATER] = SETTLE_RETRY,
    [RETRY_DEAD] = SETTLE_DEAD,
};

/* clang-format off */
static const struct {
    enum outbound_metric metric;
    enum log_level level;
    const char *event, *message;
} ends[] = {
    [SETTLE_DELIVERED] = {OUTBOUND_DELIVERED, LOG_INFO,  "signal_delivered", "SEEK has accepted the signal"},
    [SETTLE_RETRY]     = {OUTBOUND_RETRIED,   LOG_INFO,  "signal_retry",     "the signal is sent again later"},
    [SETTLE_DEAD]      = {OUTBOUND_DEAD,      LOG_ERROR, "signal_dead",      "the signal is given up until somebody replays it"},
};
/* clang-format on */

static void log_end(const struct attempt *attempt, int64_t duration_us)
{
    const struct verdict *verdict = &attempt->verdict;
    log_write(ends[attempt->action].level, ends[attempt->action].event,
              ends[attempt->action].message, LOG_TEXT("application", attempt->application_id),
              LOG_TEXT("event_id", attempt->event_id), LOG_INT("attempt", attempt->number),
              LOG_TEXT("request_id", attempt->request_id),
              LOG_TEXT("class", verdict_class_name(verdict->class)),
              LOG_TEXT("code", verdict->code), LOG_INT("http_status", verdict->http_status),
              LOG_TEXT("detail", verdict->message), LOG_INT("delay_ms", attempt->delay_ms),
              LOG_INT("duration_ms", duration_us / 1000), LOG_END);
}

/* Since the event was accepted. */
static int64_t age_ms(const struct attempt *attempt, int64_t now_ms)
{
    return attempt->age_ms + (now_ms - attempt->claimed_at_ms);
}

/* Who answers: SEEK, or something in its place. */
static void note_answerer(struct worker_shared *shared, const struct attempt *attempt)
{
    if (attempt->verdict.class == VERDICT_TRANSIENT)
        return; /* nobody knows */
    bool is_misconfigured = attempt->verdict.class == VERDICT_MISCONFIGURED;
    if (!worker_shared_turn(&shared->is_misconfigured, is_misconfigured))
        return;
    if (is_misconfigured)
        log_error("upstream_misconfigured",
                  "this is not how SEEK answers a signal: is GRAPHQL_URL right, or does a proxy or "
                  "firewall answer?",
                  LOG_TEXT("url", shared->upstream.graphql_url),
                  LOG_TEXT("code", attempt->verdict.code));
    else
        log_info("upstream_found", "SEEK itself answers again");
}

/* What an answer of 200 means is in its body, so the verdict says what failed: SEEK's code or ours,
 * and as OpenTelemetry has it the bare number where only the HTTP status is known. */
static void end_span(struct tracer *tracer, struct attempt *attempt, int64_t duration_us)
{
    struct span *span = attempt->span;
    attempt->span = NULL;
    if (span == NULL)
        return;
    const struct verdict *verdict = &attempt->verdict;
    span->http_status = verdict->http_status;
    span->attempt = attempt->number;
    span->class = verdict_class_name(verdict->class);
    memcpy(span->event_id, attempt->event_id, sizeof span->event_id);
    if (verdict->class != VERDICT_DELIVERED)
        (void)snprintf(span->error_type, sizeof span->error_type, "%s",
                       verdict->code + (strncmp(verdict->code, "HTTP_", 5) == 0 ? 5 : 0));
    tracer_end(tracer, span, duration_us);
}

static void note_end(struct worker_shared *shared, const struct attempt *attempt,
                     int64_t duration_us, int64_t wall_ms)
{
    outbound_metrics_count(&shared->metrics,
                           OUTBOUND_ATTEMPTS + (enum outbound_metric)attempt->verdict.class);
    outbound_metrics_count(&shared->metrics, ends[attempt->action].metric);
    metric_observe_us(&shared->metrics.rows[OUTBOUND_ATTEMPT_DURATION], duration_us);
    if (attempt->action == SETTLE_DELIVERED) {
        atomic_store(&shared->last_delivered_at_ms, wall_ms);
        metric_observe_us(&shared->metrics.rows[OUTBOUND_DELIVERY_DURATION],
                          age_ms(attempt, clock_monotonic_ms()) * 1000);
    }
    log_end(attempt, duration_us);
    note_answerer(shared, attempt);
}

static void decide(struct worker_shared *shared, struct attempt *attempt, int64_t outage_pause_ms,
                   int64_t now_ms)
{
    const struct attempt_facts facts = {
        .attempt = attempt->number,
        .age_ms = age_ms(attempt, now_ms),
        .was_auth_before = attempt->was_auth_before,
        .outage_pause_ms = outage_pause_ms,
    };
    struct retry_decision decision =
        retry_policy_decide(&shared->policy, &facts, &attempt->verdict, random_u64());
    attempt->action = settle_actions[decision.action];
    attempt->delay_ms = decision.delay_ms;
}

/* Cut by us: SEEK is not to blame, and the next process may try at once. */
static void finish_cut(struct sender *sender, struct attempt *attempt)
{
    attempt->verdict = (struct verdict){.class = VERDICT_TRANSIENT,
                                        .retry_after_ms = -1,
                                        .code = "SHUTDOWN",
                                        .message = "the service stopped before SEEK had answered"};
    attempt->action = SETTLE_RETRY;
    attempt->delay_ms = 0;
    sending_gate_cut(sender->shared->gate);
    atomic_fetch_add(&sender->shared->cut_count, 1);
}

/* What the answer says of the access token it was asked with. */
static void note_access_token(struct access_token *token, const struct attempt *attempt)
{
    switch (attempt->verdict.class) {
    case VERDICT_AUTH:
        access_token_reject(token, attempt->access_token_generation);
        break;
    case VERDICT_DELIVERED:
    case VERDICT_REFUSED:
    case VERDICT_THROTTLED:
        access_token_prove(token, attempt->access_token_generation);
        break;
    case VERDICT_TRANSIENT:
    case VERDICT_MISCONFIGURED:
        break; /* it may not even have been looked at */
    case VERDICT_CLASS_COUNT:
        assert(false);
    }
}

static void finish_answered(struct sender *sender, struct attempt *attempt,
                            const struct http_exchange *exchange)
{
    struct worker_shared *shared = sender->shared;
    int64_t now_ms = clock_monotonic_ms();
    const struct upstream_secrets secrets = {
        .seek_token = attempt->seek_token,
        .access_tokens = {authorizer_text(&sender->authorizer->line),
                          authorizer_text(&sender->authorizer->line_before)},
    };
    upstream_read_answer(&shared->upstream, exchange, attempt->request_id, &secrets,
                         clock_wall_ms(), &attempt->verdict);
    note_access_token(shared->access_token, attempt);
    bool is_proven = access_token_is_proven(shared->access_token, attempt->access_token_generation);
    int64_t outage_pause_ms =
        sending_gate_leave(shared->gate, &attempt->verdict, is_proven, now_ms);
    decide(shared, attempt, outage_pause_ms, now_ms);
}

static void on_answered(void *context, const struct http_exchange *exchange)
{
    struct attempt *attempt = context;
    struct sender *sender = attempt->owner;
    if (sender->is_cut)
        finish_cut(sender, attempt);
    else
        finish_answered(sender, attempt, exchange);
    note_end(sender->shared, attempt, exchange->duration_us, clock_wall_ms());
    end_span(sender->shared->tracer, attempt, exchange->duration_us);
    attempts_move(sender->attempts, attempt, ATTEMPT_FINISHED);
}

/* --- sending ----------------------------------------------------------------------- */

bool sender_send(struct sender *sender, struct attempt *attempt, struct error *error)
{
    struct span *span = tracer_begin(sender->shared->tracer, SPAN_ATTEMPT, attempt->traceparent);
    const struct upstream_signal signal = {
        .seek_token = attempt->seek_token,
        .completed_at_ms = attempt->completed_at_ms,
        .event_id = attempt->event_id,
        .request_id = attempt->request_id,
        .traceparent = span != NULL ? span->traceparent : attempt->traceparent,
        .authorization = sender->authorizer->line.bytes,
    };
    if (!upstream_send_signal(&sender->shared->upstream, sender->http, &signal, on_answered,
                              attempt, error)) {
        free(span);
        return false;
    }
    attempt->span = span;
    attempt->access_token_generation = sender->authorizer->generation;
    attempts_move(sender->attempts, attempt, ATTEMPT_SENDING);
    sending_gate_start(sender->shared->gate);
    return true;
}

void sender_cut(struct sender *sender)
{
    sender->is_cut = true;
    http_client_abort_all(sender->http);
}
