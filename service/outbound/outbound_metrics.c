/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/outbound_metrics.h"

static const double duration_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
/* From a delivery at once to the end of an outage, a day and more. */
static const double delivery_bounds[] = {0.025, 0.05, 0.1, 0.25, 0.5,  1,    2.5,   5,
                                         10,    30,   60,  300,  1800, 7200, 43200, 172800};
_Static_assert(sizeof delivery_bounds / sizeof delivery_bounds[0] <= METRIC_BUCKETS_MAX, "fit");

struct row {
    const char *name, *help, *labels;
    enum metric_type type;
    double scale;
};

#define ATTEMPTS(class_)                                                                           \
    {                                                                                              \
        "seek_signal_attempts_total", "Attempts to send a signal, by what came of them.",          \
            "class=\"" class_ "\"", METRIC_COUNTER, 0                                              \
    }
#define COUNTER(name, help)                                                                        \
    {                                                                                              \
        "seek_signal_" name, help, NULL, METRIC_COUNTER, 0                                         \
    }
#define GAUGE(name, help)                                                                          \
    {                                                                                              \
        "seek_signal_" name, help, NULL, METRIC_GAUGE, 0                                           \
    }
#define GAUGE_MS(name, help)                                                                       \
    {                                                                                              \
        "seek_signal_" name, help, NULL, METRIC_GAUGE, 0.001                                       \
    }
#define REFRESHES(result)                                                                          \
    {                                                                                              \
        "seek_signal_access_token_refreshes_total", "Access tokens asked for, by result.",         \
            "result=\"" result "\"", METRIC_COUNTER, 0                                             \
    }

/* clang-format off */
static const struct row rows[OUTBOUND_METRIC_COUNT] = {
    [OUTBOUND_ATTEMPTS + VERDICT_DELIVERED]     = ATTEMPTS("delivered"),
    [OUTBOUND_ATTEMPTS + VERDICT_TRANSIENT]     = ATTEMPTS("transient"),
    [OUTBOUND_ATTEMPTS + VERDICT_THROTTLED]     = ATTEMPTS("throttled"),
    [OUTBOUND_ATTEMPTS + VERDICT_AUTH]          = ATTEMPTS("auth"),
    [OUTBOUND_ATTEMPTS + VERDICT_REFUSED]       = ATTEMPTS("refused"),
    [OUTBOUND_ATTEMPTS + VERDICT_MISCONFIGURED] = ATTEMPTS("misconfigured"),
    [OUTBOUND_ATTEMPT_DURATION] = {"seek_signal_attempt_duration_seconds",
                                   "From the start of an attempt to its end.", NULL, METRIC_HISTOGRAM, 0},
    [OUTBOUND_DELIVERY_DURATION] = {"seek_signal_delivery_duration_seconds",
                                    "From the acceptance of an event until SEEK has accepted its signal.", NULL, METRIC_HISTOGRAM, 0},
    [OUTBOUND_DELIVERED]       = COUNTER("delivered_total", "Signals that SEEK has accepted."),
    [OUTBOUND_RETRIED]         = COUNTER("retried_total", "Attempts that are to be repeated."),
    [OUTBOUND_DEAD]            = COUNTER("dead_total", "Signals given up: refused by SEEK or too old."),
    [OUTBOUND_FENCED]          = COUNTER("settlements_fenced_total", "Outcomes not recorded because the application had moved on."),
    [OUTBOUND_LEASES_EXPIRED]  = COUNTER("leases_expired_total", "Attempts that never reported back and were repeated."),
    [OUTBOUND_IN_FLIGHT]       = GAUGE("in_flight", "Signals on their way to SEEK."),
    [OUTBOUND_IN_FLIGHT_LIMIT] = GAUGE("in_flight_limit", "How many may be on their way now."),
    [OUTBOUND_BREAKER]         = GAUGE("breaker_state", "Circuit breaker: 0 closed, 1 open, 2 probing."),
    [OUTBOUND_THROTTLED]       = GAUGE_MS("throttled_seconds", "How much longer SEEK's throttling is respected."),
    [OUTBOUND_TOKEN_REFRESHED] = REFRESHES("ok"),
    [OUTBOUND_TOKEN_FAILED]    = REFRESHES("failed"),
    [OUTBOUND_TOKEN_EXPIRY]    = GAUGE_MS("access_token_expires_in_seconds", "Life left of the access token; 0: there is none."),
    [OUTBOUND_TOKEN_AGE]       = GAUGE_MS("access_token_age_seconds", "Since the access token was issued; NaN: there is none."),
    [OUTBOUND_TOKEN_FAILING]   = GAUGE_MS("access_token_failing_seconds", "Since when no access token can be had; 0: it can."),
    [OUTBOUND_REDIS_CONNECTS]  = COUNTER("worker_redis_connects_total", "Connections to Redis opened by the workers."),
    [OUTBOUND_REDIS_LOSSES]    = COUNTER("worker_redis_losses_total", "Connections to Redis that the workers lost."),
};
/* clang-format on */

void outbound_metrics_init(struct outbound_metrics *metrics)
{
    for (size_t i = 0; i < OUTBOUND_METRIC_COUNT; i++) {
        struct metric *metric = &metrics->rows[i];
        metric->name = rows[i].name;
        metric->help = rows[i].help;
        metric->labels = rows[i].labels;
        metric->type = rows[i].type;
        metric->scale = rows[i].scale;
        metric->bounds = NULL;
        metric->bound_count = 0;
        atomic_init(&metric->value, 0);
        for (size_t bucket = 0; bucket <= METRIC_BUCKETS_MAX; bucket++)
            atomic_init(&metric->buckets[bucket], 0);
        metrics->list[i] = metric;
    }
    struct metric *attempt = &metrics->rows[OUTBOUND_ATTEMPT_DURATION];
    attempt->bounds = duration_bounds;
    attempt->bound_count = sizeof duration_bounds / sizeof duration_bounds[0];
    struct metric *delivery = &metrics->rows[OUTBOUND_DELIVERY_DURATION];
    delivery->bounds = delivery_bounds;
    delivery->bound_count = sizeof delivery_bounds / sizeof delivery_bounds[0];
}

void outbound_metrics_count(struct outbound_metrics *metrics, enum outbound_metric metric)
{
    metric_add(&metrics->rows[metric], 1);
}

uint64_t outbound_metrics_value(const struct outbound_metrics *metrics, enum outbound_metric metric)
{
    return (uint64_t)atomic_load_explicit(&metrics->rows[metric].value, memory_order_relaxed);
}

void outbound_metrics_observe(struct outbound_metrics *metrics, struct sending_gate *gate,
                              struct access_token *token, int64_t now_ms)
{
    struct sending_gate_status sending;
    sending_gate_status(gate, now_ms, &sending);
    struct access_token_status access;
    access_token_status(token, now_ms, &access);
    struct metric *metric = metrics->rows;
    metric_set(&metric[OUTBOUND_IN_FLIGHT], (int64_t)sending.in_flight);
    metric_set(&metric[OUTBOUND_IN_FLIGHT_LIMIT], sending.in_flight_limit);
    metric_set(&metric[OUTBOUND_BREAKER], sending.breaker);
    metric_set(&metric[OUTBOUND_THROTTLED], sending.throttled_for_ms);
    metric_set(&metric[OUTBOUND_TOKEN_REFRESHED], (int64_t)access.refreshes);
    metric_set(&metric[OUTBOUND_TOKEN_FAILED], (int64_t)access.failures);
    metric_set(&metric[OUTBOUND_TOKEN_EXPIRY], access.is_valid ? access.expires_in_ms : 0);
    metric_set(&metric[OUTBOUND_TOKEN_AGE], access.is_valid ? access.age_ms : METRIC_UNKNOWN);
    metric_set(&metric[OUTBOUND_TOKEN_FAILING],
               access.failing_since_ms < 0 ? 0 : now_ms - access.failing_since_ms);
}
