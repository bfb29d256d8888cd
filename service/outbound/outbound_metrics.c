/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/outbound_metrics.h"

static const double duration_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
/* From a delivery at once to the end of an outage, a day and more. */
static const double delivery_bounds[] = {0.025, 0.05, 0.1, 0.25, 0.5,  1,    2.5,   5,
                                         10,    30,   60,  300,  1800, 7200, 43200, 172800};
_Static_assert(sizeof delivery_bounds / sizeof delivery_bounds[0] <= METRIC_BUCKETS_MAX, "fit");

#define ATTEMPTS(class_)                                                                           \
    METRIC_ROW(COUNTER, "seek_signal_attempts_total",                                              \
               "Attempts to send a signal, by what came of them.",                                 \
               .labels = "class=\"" class_ "\"")
#define RETRY_AGE(class_)                                                                          \
    METRIC_ROW(GAUGE, "seek_signal_oldest_retry_age_seconds",                                      \
               "Age of the oldest signal that is to be tried again, by what came of its last "     \
               "attempt; 0: there is none.",                                                       \
               .labels = "class=\"" class_ "\"", .scale = 1e-3)
#define REFRESHES(result)                                                                          \
    METRIC_ROW(COUNTER, "seek_signal_access_token_refreshes_total",                                \
               "Access tokens asked for, by result.", .labels = "result=\"" result "\"")

/* clang-format off */
const struct metric_row outbound_rows[OUTBOUND_METRIC_COUNT] = {
    [OUTBOUND_ATTEMPTS + VERDICT_DELIVERED]     = ATTEMPTS("delivered"),
    [OUTBOUND_ATTEMPTS + VERDICT_TRANSIENT]     = ATTEMPTS("transient"),
    [OUTBOUND_ATTEMPTS + VERDICT_THROTTLED]     = ATTEMPTS("throttled"),
    [OUTBOUND_ATTEMPTS + VERDICT_AUTH]          = ATTEMPTS("auth"),
    [OUTBOUND_ATTEMPTS + VERDICT_REFUSED]       = ATTEMPTS("refused"),
    [OUTBOUND_ATTEMPTS + VERDICT_MISCONFIGURED] = ATTEMPTS("misconfigured"),
    [OUTBOUND_ATTEMPTS + VERDICT_UNREADABLE]    = ATTEMPTS("unreadable"),
    [OUTBOUND_RETRY_AGES + VERDICT_DELIVERED]    = RETRY_AGE("delivered"),
    [OUTBOUND_RETRY_AGES + VERDICT_TRANSIENT]    = RETRY_AGE("transient"),
    [OUTBOUND_RETRY_AGES + VERDICT_THROTTLED]    = RETRY_AGE("throttled"),
    [OUTBOUND_RETRY_AGES + VERDICT_AUTH]         = RETRY_AGE("auth"),
    [OUTBOUND_RETRY_AGES + VERDICT_REFUSED]      = RETRY_AGE("refused"),
    [OUTBOUND_RETRY_AGES + VERDICT_MISCONFIGURED]= RETRY_AGE("misconfigured"),
    [OUTBOUND_RETRY_AGES + VERDICT_UNREADABLE]   = RETRY_AGE("unreadable"),
    [OUTBOUND_ATTEMPT_DURATION] = METRIC_ROW(HISTOGRAM, "seek_signal_attempt_duration_seconds", "From the start of an attempt to its end.", METRIC_BOUNDS(duration_bounds)),
    [OUTBOUND_DELIVERY_DURATION] = METRIC_ROW(HISTOGRAM, "seek_signal_delivery_duration_seconds", "From the acceptance of an event until SEEK has accepted its signal.", METRIC_BOUNDS(delivery_bounds)),
    [OUTBOUND_DELIVERED]       = METRIC_ROW(COUNTER, "seek_signal_delivered_total", "Signals that SEEK has accepted."),
    [OUTBOUND_RETRIED]         = METRIC_ROW(COUNTER, "seek_signal_retried_total", "Failed attempts that will be repeated."),
    [OUTBOUND_RESENT]          = METRIC_ROW(COUNTER, "seek_signal_resent_total", "Requests that SEEK's server did not process, and that were sent again at once."),
    [OUTBOUND_DEAD]            = METRIC_ROW(COUNTER, "seek_signal_dead_total", "Signals that died: refused by SEEK, or too old."),
    [OUTBOUND_BRAKED]          = METRIC_ROW(COUNTER, "seek_signal_refusal_brakes_total", "Pauses of sending after a run of refusals for the same reason."),
    [OUTBOUND_FENCED]          = METRIC_ROW(COUNTER, "seek_signal_settlements_fenced_total", "Outcomes not recorded because the application had moved on."),
    [OUTBOUND_LEASES_EXPIRED]  = METRIC_ROW(COUNTER, "seek_signal_leases_expired_total", "Attempts that never reported an outcome and were repeated."),
    [OUTBOUND_DAMAGED]         = METRIC_ROW(COUNTER, "seek_signal_damaged_total", "Applications that another program has changed in Redis, as a claim or a replay found."),
    [OUTBOUND_CLAIMS_HALVED]   = METRIC_ROW(COUNTER, "seek_signal_claims_halved_total", "Claims made smaller because the answer to a larger one was lost."),
    [OUTBOUND_IN_FLIGHT]       = METRIC_ROW(GAUGE, "seek_signal_in_flight", "Signals that are being sent."),
    [OUTBOUND_IN_FLIGHT_LIMIT] = METRIC_ROW(GAUGE, "seek_signal_in_flight_limit", "Signals that may be sent at once."),
    [OUTBOUND_BREAKER]         = METRIC_ROW(GAUGE, "seek_signal_breaker_state", "Circuit breaker: 0 closed, 1 open, 2 probing, -1 unknown: it was open, and nothing has been tried since."),
    [OUTBOUND_THROTTLED]       = METRIC_ROW(GAUGE, "seek_signal_throttled_seconds", "Remaining time for which sending respects SEEK's Retry-After.", .scale = 1e-3),
    [OUTBOUND_TOKEN_REFRESHED] = REFRESHES("ok"),
    [OUTBOUND_TOKEN_FAILED]    = REFRESHES("failed"),
    [OUTBOUND_TOKEN_EXPIRY]    = METRIC_ROW(GAUGE, "seek_signal_access_token_expires_in_seconds", "Remaining life of the access token; 0: there is none.", .scale = 1e-3),
    [OUTBOUND_TOKEN_AGE]       = METRIC_ROW(GAUGE, "seek_signal_access_token_age_seconds", "Time since the access token was issued; NaN: there is none.", .scale = 1e-3),
    [OUTBOUND_TOKEN_FAILING]   = METRIC_ROW(GAUGE, "seek_signal_access_token_failing_seconds", "Time for which no access token could be fetched; 0: the last try worked.", .scale = 1e-3),
    [OUTBOUND_REDIS_CONNECTS]  = METRIC_ROW(COUNTER, "seek_signal_worker_redis_connects_total", "Connections to Redis opened by the workers."),
    [OUTBOUND_REDIS_LOSSES]    = METRIC_ROW(COUNTER, "seek_signal_worker_redis_losses_total", "Connections to Redis that the workers lost."),
};
/* clang-format on */

void outbound_metrics_observe(struct metric metrics[], struct sending_gate *gate,
                              struct access_token *token, int64_t now_ms)
{
    struct sending_gate_status sending;
    sending_gate_status(gate, now_ms, &sending);
    struct access_token_status access;
    access_token_status(token, now_ms, &access);
    metric_set(&metrics[OUTBOUND_IN_FLIGHT], (int64_t)sending.in_flight);
    metric_set(&metrics[OUTBOUND_IN_FLIGHT_LIMIT], sending.in_flight_limit);
    metric_set(&metrics[OUTBOUND_BREAKER], sending.is_breaker_known ? (int)sending.breaker : -1);
    metric_set(&metrics[OUTBOUND_THROTTLED], sending.throttled_for_ms);
    metric_set(&metrics[OUTBOUND_TOKEN_REFRESHED], (int64_t)access.refreshes);
    metric_set(&metrics[OUTBOUND_TOKEN_FAILED], (int64_t)access.failures);
    metric_set(&metrics[OUTBOUND_TOKEN_EXPIRY], access.is_valid ? access.expires_in_ms : 0);
    metric_set(&metrics[OUTBOUND_TOKEN_AGE], access.is_valid ? access.age_ms : METRIC_UNKNOWN);
    metric_set(&metrics[OUTBOUND_TOKEN_FAILING],
               access.failing_since_ms < 0 ? 0 : now_ms - access.failing_since_ms);
}
