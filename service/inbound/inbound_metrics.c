/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/inbound_metrics.h"

#include <assert.h>

static const double duration_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                         0.1,    0.25,  0.5,    1,     2.5,  5,     10};
static const double batch_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

#define EVENTS(result)                                                                             \
    METRIC_ROW(COUNTER, "seek_signal_intake_events_total", "Events posted, by result.",            \
               .labels = "result=\"" result "\"")
#define REQUESTS(status)                                                                           \
    METRIC_ROW(COUNTER, "seek_signal_http_requests_total",                                         \
               "Requests answered on the API listener, by status class.",                          \
               .labels = "status=\"" status "\"")
#define FULL(listener)                                                                             \
    METRIC_ROW(GAUGE, "seek_signal_http_full",                                                     \
               "Threads of the listener with as many connections as are allowed.",                 \
               .labels = "listener=\"" listener "\"")
#define EVICTED(listener)                                                                          \
    METRIC_ROW(COUNTER, "seek_signal_http_evicted_total",                                          \
               "Connections closed to make room for new ones.",                                    \
               .labels = "listener=\"" listener "\"")

/* clang-format off */
const struct metric_row inbound_rows[INBOUND_METRIC_COUNT] = {
    [INBOUND_EVENTS + INTAKE_ACCEPTED]    = EVENTS("accepted"),
    [INBOUND_EVENTS + INTAKE_DUPLICATE]   = EVENTS("duplicate"),
    [INBOUND_EVENTS + INTAKE_REPLACED]    = EVENTS("replaced"),
    [INBOUND_EVENTS + INTAKE_REFUSED]     = EVENTS("refused"),
    [INBOUND_EVENTS + INTAKE_UNAVAILABLE] = EVENTS("unavailable"),
    [INBOUND_REQUESTS + 0]                = REQUESTS("2xx"),
    [INBOUND_REQUESTS + 1]                = REQUESTS("3xx"),
    [INBOUND_REQUESTS + 2]                = REQUESTS("4xx"),
    [INBOUND_REQUESTS + 3]                = REQUESTS("5xx"),
    [INBOUND_REQUEST_DURATION] = METRIC_ROW(HISTOGRAM, "seek_signal_http_request_duration_seconds", "From a request's first byte to its answer.", METRIC_BOUNDS(duration_bounds)),
    [INBOUND_INTAKE_DURATION]  = METRIC_ROW(HISTOGRAM, "seek_signal_intake_duration_seconds", "From the first byte of posted events until Redis has answered for all of them.", METRIC_BOUNDS(duration_bounds)),
    [INBOUND_OPEN_REQUESTS]    = METRIC_ROW(GAUGE, "seek_signal_http_open_requests", "Requests in progress."),
    [INBOUND_CONNECTIONS]      = METRIC_ROW(GAUGE, "seek_signal_http_connections", "Connections to the API listener, including idle ones."),
    [INBOUND_FULL + LISTENER_API]    = FULL("api"),
    [INBOUND_FULL + LISTENER_OPS]    = FULL("ops"),
    [INBOUND_EVICTED + LISTENER_API] = EVICTED("api"),
    [INBOUND_EVICTED + LISTENER_OPS] = EVICTED("ops"),
    [INBOUND_TURNED_AWAY]      = METRIC_ROW(COUNTER, "seek_signal_http_turned_away_total", "Connections closed at once because their address has MAX_CONNECTIONS_PER_ADDRESS."),
    [INBOUND_WRONG_KEYS]       = METRIC_ROW(COUNTER, "seek_signal_http_wrong_keys_total", "Requests with a wrong key."),
    [INBOUND_WAITERS]          = METRIC_ROW(GAUGE, "seek_signal_http_waiters", "Requests with ?wait= that wait for SEEK."),
    [INBOUND_WAITS_CUT]        = METRIC_ROW(COUNTER, "seek_signal_http_waits_cut_total", "Requests with ?wait= that were answered at once because too many waited."),
    [INBOUND_BODIES]           = METRIC_ROW(GAUGE, "seek_signal_http_bodies_bytes", "Memory for the bodies of requests, without small bodies."),
    [INBOUND_BODIES_MAX]       = METRIC_ROW(GAUGE, "seek_signal_http_bodies_limit_bytes", "Limit for all bodies together, BODIES_BYTES_MAX."),
    [INBOUND_BODIES_REFUSED]   = METRIC_ROW(COUNTER, "seek_signal_http_bodies_refused_total", "Requests answered 503 because all bodies together were over BODIES_BYTES_MAX."),
    [INBOUND_BATCH_EVENTS]     = METRIC_ROW(HISTOGRAM, "seek_signal_intake_batch_events", "Events committed by one script call.", METRIC_BOUNDS(batch_bounds)),
    [INBOUND_REDIS_CONNECTS]   = METRIC_ROW(COUNTER, "seek_signal_intake_redis_connects_total", "Connections to Redis opened by the intake."),
    [INBOUND_REDIS_LOSSES]     = METRIC_ROW(COUNTER, "seek_signal_intake_redis_losses_total", "Connections to Redis that the intake lost."),
    [INBOUND_REDIS_ROUND_TRIP] = METRIC_ROW(HISTOGRAM, "seek_signal_intake_redis_round_trip_seconds", "The intake's round trips to Redis, the newest of each turn of a loop.", METRIC_BOUNDS(duration_bounds)),
    [INBOUND_DUE]              = METRIC_ROW(GAUGE, "seek_signal_due", "Applications in Redis that wait or are being sent."),
    [INBOUND_DEAD]             = METRIC_ROW(GAUGE, "seek_signal_dead", "Applications in Redis that are dead until somebody replays or forgets them."),
    [INBOUND_OLDEST_DUE_AGE]   = METRIC_ROW(GAUGE, "seek_signal_oldest_due_age_seconds", "Age of the oldest signal that is ready to send.", .scale = 1e-3),
    [INBOUND_PAUSED]           = METRIC_ROW(GAUGE, "seek_signal_paused", "1 while sending is paused."),
    [INBOUND_CENSUS_KNOWN]     = METRIC_ROW(GAUGE, "seek_signal_census_known", "1 while due, dead, oldest due age and paused are known."),
};
/* clang-format on */

void inbound_metrics_count_reply(struct metric metrics[], unsigned status, int64_t duration_us)
{
    assert(status >= 200 && status < 600);
    metric_add(&metrics[INBOUND_REQUESTS + status / 100 - 2], 1);
    metric_observe_us(&metrics[INBOUND_REQUEST_DURATION], duration_us);
}

/* A histogram takes microseconds and prints seconds: an event counts as one second. */
void inbound_metrics_count_batch(struct metric metrics[], size_t events)
{
    assert(events > 0);
    metric_observe_us(&metrics[INBOUND_BATCH_EVENTS], (int64_t)events * 1000000);
}
