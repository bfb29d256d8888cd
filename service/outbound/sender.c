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
    [SETTLE_RETRY]     = {OUTBOUND_RETRIED,   LOG_INFO,  "signal_retry",     "The signal is sent again later"},
    [SETTLE_DEAD]      = {OUTBOUND_DEAD,      LOG_ERROR, "signal_dead",      "The signal is dead until somebody replays it"},
};
/* clang-format on */

static void log_end(const struct attempt *attempt, int64_t duration_us)
{
    assert((size_t)attempt->action < sizeof ends / sizeof ends[0]); /* it was sent */
    const struct verdict *verdict = &attempt->verdict;
    log_at(ends[attempt->action].level, ends[attempt->action].event, ends[attempt->action].message,
           LOG_TEXT("application", attempt->application_id),
           LOG_TEXT("event_id", attempt->event_id), LOG_INT("attempt", attempt->number),
           LOG_TEXT("request_id", attempt->request_id),
           LOG_TEXT("class", verdict_class_name(verdict->class)), LOG_TEXT("code", verdict->code),
           verdict->http_status != 0 ? LOG_INT("http_status", verdict->http_status)
                                     : LOG_TEXT("http_status", ""), /* left out */
           LOG_TEXT("detail", verdict->message), LOG_INT("delay_ms", attempt->delay_ms),
           LOG_INT("duration_ms", duration_us / 1000));
}

/* Since the event was accepted. */
static int64_t age_ms(const struct attempt *attempt, int64_t now_ms)
{
    return attempt->age_ms + (now_ms - attempt->claimed_at_ms);
}

/* Why this is not how SEEK answers a signal. */
static const char *explain(const struct verdict *verdict)
{
    if (verdict->has_errors)
        return "SEEK does not accept the form of our request. Has its schema changed, and is there "
               "a newer seek-signal?";
    if (strcmp(verdict->code, "PROXY_REFUSED") == 0)
        return "The proxy refuses the connection to SEEK. Does it allow this machine, and the user "
               "in the proxy variable?";
    return "The answer does not come from SEEK's GraphQL. Is GRAPHQL_URL right, or does a proxy or "
           "firewall answer?";
}

/* Who answers: SEEK, or something in its place. */
static void note_answerer(struct worker_shared *shared, const struct attempt *attempt)
{
    const struct verdict *verdict = &attempt->verdict;
    if (verdict->class == VERDICT_TRANSIENT)
        return; /* nobody knows */
    bool is_misconfigured =
        verdict->class == VERDICT_MISCONFIGURED || verdict->class == VERDICT_UNREADABLE;
    if (!worker_shared_turn(&shared->is_misconfigured, is_misconfigured))
        return;
    if (is_misconfigured)
        log_error("upstream_misconfigured", explain(verdict),
                  LOG_TEXT("url", shared->upstream.graphql_url), LOG_TEXT("code", verdict->code),
                  LOG_TEXT("detail", verdict->message));
    else
        log_info("upstream_found", "SEEK itself answers again");
}

/* SEEK documents no value for a success; who looks into a case wants to know of others. */
static void note_result(struct worker_shared *shared, const struct verdict *verdict)
{
    if (verdict->class != VERDICT_DELIVERED ||
        !worker_shared_turn(&shared->is_result_odd, verdict->is_result_odd))
        return;
    log_info("signal_result", verdict->is_result_odd
                                  ? "SEEK accepts signals with a value other than true"
                                  : "SEEK accepts signals with true again");
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

/* A first attempt that succeeds leaves nothing to forget. */
static void note_age(struct worker_shared *shared, const struct attempt *attempt)
{
    int64_t now_ms = clock_monotonic_ms();
    if (attempt->action == SETTLE_RETRY)
        retry_ages_note(&shared->ages, attempt->application_id, attempt->verdict.class,
                        age_ms(attempt, now_ms), attempt->delay_ms, now_ms);
    else if (attempt->number > 1)
        retry_ages_forget(&shared->ages, attempt->application_id);
}

static void note_end(struct worker_shared *shared, const struct attempt *attempt,
                     int64_t duration_us, int64_t wall_ms)
{
    metric_add(&shared->metrics[OUTBOUND_ATTEMPTS + (enum outbound_metric)attempt->verdict.class],
               1);
    metric_add(&shared->metrics[ends[attempt->action].metric], 1);
    metric_observe_us(&shared->metrics[OUTBOUND_ATTEMPT_DURATION], duration_us);
    if (attempt->action == SETTLE_DELIVERED) {
        atomic_store(&shared->last_delivered_at_ms, wall_ms);
        metric_observe_us(&shared->metrics[OUTBOUND_DELIVERY_DURATION],
                          age_ms(attempt, clock_monotonic_ms()) * 1000);
    }
    note_age(shared, attempt);
    log_end(attempt, duration_us);
    note_answerer(shared, attempt);
    note_result(shared, &attempt->verdict);
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
    assert((size_t)decision.action < sizeof settle_actions / sizeof settle_actions[0]);
    attempt->action = settle_actions[decision.action];
    attempt->delay_ms = decision.delay_ms;
}

/* Cut by us: SEEK is not to blame, and the next process may try at once. */
static void finish_cut(struct sender *sender, struct attempt *attempt)
{
    assert(sender->is_cut && attempt->state == ATTEMPT_SENDING);
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
    case VERDICT_UNREADABLE:
    case VERDICT_MISCONFIGURED:
        break; /* it may not even have been looked at */
    case VERDICT_CLASS_COUNT:
        assert(false);
    }
}

/* What waits is better off waiting until somebody has looked. */
static void brake(struct worker_shared *shared, const struct verdict *verdict)
{
    log_error("refusals_braked",
              "SEEK refuses signal after signal for the same reason; sending is paused until "
              "`seek-signal resume`",
              LOG_TEXT("code", verdict->code), LOG_TEXT("detail", verdict->message));
    metric_add(&shared->metrics[OUTBOUND_BRAKED], 1);
    atomic_store(&shared->is_pause_wanted, true);
}

static void finish_answered(struct sender *sender, struct attempt *attempt,
                            const struct http_exchange *exchange)
{
    assert(!sender->is_cut && attempt->state == ATTEMPT_SENDING);
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
    if (attempt->verdict.class == VERDICT_REFUSED && sending_gate_take_brake(shared->gate))
        brake(shared, &attempt->verdict);
}

/* --- sending ----------------------------------------------------------------------- */

static void on_answered(void *context, const struct http_exchange *exchange);

static bool send_signal(struct sender *sender, struct attempt *attempt, struct error *error)
{
    assert(attempt->damage == NULL && attempt->seek_token != NULL);
    struct span *span = tracer_begin(sender->shared->tracer, SPAN_ATTEMPT, attempt->traceparent);
    const struct upstream_signal signal = {
        .seek_token = attempt->seek_token,
        .completed_at_ms = attempt->completed_at_ms,
        .event_id = attempt->event_id,
        .request_id = attempt->request_id,
        .traceparent = span != NULL ? span->traceparent : attempt->traceparent,
        .authorization = sender->authorizer->line.bytes,
        .send_until_ms = attempt->begin_until_ms + (int64_t)sender->shared->upstream.timeout_ms,
    };
    if (!upstream_send_signal(&sender->shared->upstream, sender->http, &signal, on_answered,
                              attempt, error)) {
        free(span);
        return false;
    }
    attempt->span = span;
    attempt->access_token_generation = sender->authorizer->generation;
    return true;
}

/* SEEK has not processed it (RFC 9113 section 8.7 allows to say so for certain): nobody is to
 * blame, and the same attempt goes once more, at once. Of many on a connection that ends, some
 * may meet the end of the next one too; a server that refuses again and again is something else.
 */
static bool send_again(struct sender *sender, struct attempt *attempt,
                       const struct http_exchange *exchange)
{
    enum { REPETITIONS_MAX = 10 };
    struct error error;
    if (exchange->outcome != HTTP_NOT_SENT || attempt->repetitions == REPETITIONS_MAX ||
        clock_monotonic_ms() > attempt->begin_until_ms)
        return false;
    struct span *span_before = attempt->span;
    char request_id[ATTEMPT_ID_BYTES];
    memcpy(request_id, attempt->request_id, sizeof request_id);
    attempt_id_of_repetition(attempt->event_id, attempt->number, ++attempt->repetitions,
                             attempt->request_id);
    if (!send_signal(sender, attempt, &error)) {
        memcpy(attempt->request_id, request_id, sizeof request_id);
        return false;
    }
    free(span_before); /* of an attempt there is one span */
    metric_add(&sender->shared->metrics[OUTBOUND_RESENT], 1);
    log_info("signal_resent", "SEEK's server did not process the request; it is sent again at once",
             LOG_TEXT("application", attempt->application_id),
             LOG_TEXT("request_id", attempt->request_id), LOG_TEXT("detail", exchange->detail));
    return true;
}

static void on_answered(void *context, const struct http_exchange *exchange)
{
    struct attempt *attempt = context;
    struct sender *sender = attempt->owner;
    if (!sender->is_cut && send_again(sender, attempt, exchange))
        return;
    if (sender->is_cut)
        finish_cut(sender, attempt);
    else
        finish_answered(sender, attempt, exchange);
    note_end(sender->shared, attempt, exchange->duration_us, clock_wall_ms());
    end_span(sender->shared->tracer, attempt, exchange->duration_us);
    attempts_move(sender->attempts, attempt, ATTEMPT_FINISHED);
}

bool sender_send(struct sender *sender, struct attempt *attempt, struct error *error)
{
    assert(attempt->state == ATTEMPT_CLAIMED && !sender->is_cut);
    if (!send_signal(sender, attempt, error))
        return false;
    attempts_move(sender->attempts, attempt, ATTEMPT_SENDING);
    sending_gate_start(sender->shared->gate);
    return true;
}

void sender_cut(struct sender *sender)
{
    sender->is_cut = true;
    http_client_abort_all(sender->http);
}
