/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/inbound_metrics.h"

#include <assert.h>

static const double duration_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                         0.1,    0.25,  0.5,    1,     2.5,  5,     10};
static const double batch_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
#define BOUNDS(array) .bounds = (array), .bound_count = sizeof(array) / sizeof(array)[0]

static const char *const result_labels[INTAKE_RESULT_COUNT] = {
    [INTAKE_ACCEPTED] = "result=\"accepted\"",       [INTAKE_DUPLICATE] = "result=\"duplicate\"",
    [INTAKE_REPLACED] = "result=\"replaced\"",       [INTAKE_REFUSED] = "result=\"refused\"",
    [INTAKE_UNAVAILABLE] = "result=\"unavailable\"",
};
static const char *const status_labels[STATUS_CLASS_COUNT] = {"status=\"2xx\"", "status=\"3xx\"",
                                                              "status=\"4xx\"", "status=\"5xx\""};

static void add_row(struct inbound_metrics *metrics, struct metric *row, struct metric value)
{
    assert(metrics->row_count < INBOUND_METRICS_MAX);
    *row = value;
    metrics->rows[metrics->row_count++] = row;
}

static void add_labelled_rows(struct inbound_metrics *metrics)
{
    for (size_t i = 0; i < INTAKE_RESULT_COUNT; i++)
        add_row(metrics, &metrics->events[i],
                (struct metric){.name = "seek_signal_intake_events_total",
                                .help = "Events posted, by what became of them.",
                                .labels = result_labels[i],
                                .type = METRIC_COUNTER});
    for (size_t i = 0; i < STATUS_CLASS_COUNT; i++)
        add_row(metrics, &metrics->requests[i],
                (struct metric){.name = "seek_signal_http_requests_total",
                                .help = "Requests answered on the API listener, by status class.",
                                .labels = status_labels[i],
                                .type = METRIC_COUNTER});
}

static void add_census_rows(struct inbound_metrics *metrics)
{
    add_row(metrics, &metrics->due,
            (struct metric){.name = "seek_signal_due",
                            .help = "Applications in Redis that wait or are on their way.",
                            .type = METRIC_GAUGE,
                            .value = METRIC_UNKNOWN});
    add_row(metrics, &metrics->dead,
            (struct metric){.name = "seek_signal_dead",
                            .help = "Applications in Redis given up until somebody replays them.",
                            .type = METRIC_GAUGE,
                            .value = METRIC_UNKNOWN});
    add_row(metrics, &metrics->oldest_due_age,
            (struct metric){.name = "seek_signal_oldest_due_age_seconds",
                            .help = "Since the first of those that wait could have been sent.",
                            .type = METRIC_GAUGE,
                            .scale = 1e-3,
                            .value = METRIC_UNKNOWN});
    add_row(metrics, &metrics->paused,
            (struct metric){.name = "seek_signal_paused",
                            .help = "1 while somebody has paused sending.",
                            .type = METRIC_GAUGE,
                            .value = METRIC_UNKNOWN});
}

void inbound_metrics_init(struct inbound_metrics *metrics)
{
    metrics->row_count = 0;
    add_labelled_rows(metrics);
    add_row(metrics, &metrics->request_duration,
            (struct metric){.name = "seek_signal_http_request_duration_seconds",
                            .help = "From a request's first byte to its answer.",
                            .type = METRIC_HISTOGRAM,
                            BOUNDS(duration_bounds)});
    add_row(metrics, &metrics->intake_duration,
            (struct metric){.name = "seek_signal_intake_duration_seconds",
                            .help = "From the first byte of posted events until Redis has "
                                    "answered for all of them.",
                            .type = METRIC_HISTOGRAM,
                            BOUNDS(duration_bounds)});
    add_row(metrics, &metrics->open_requests,
            (struct metric){.name = "seek_signal_http_open_requests",
                            .help = "Requests that are in and not over.",
                            .type = METRIC_GAUGE});
    add_row(metrics, &metrics->connections,
            (struct metric){.name = "seek_signal_http_connections",
                            .help = "Connections to the API listener, idle ones too.",
                            .type = METRIC_GAUGE});
    add_row(metrics, &metrics->batch_events,
            (struct metric){.name = "seek_signal_intake_batch_events",
                            .help = "Events committed by one script call.",
                            .type = METRIC_HISTOGRAM,
                            BOUNDS(batch_bounds)});
    add_row(metrics, &metrics->redis_connects,
            (struct metric){.name = "seek_signal_intake_redis_connects_total",
                            .help = "Connections to Redis opened by the intake.",
                            .type = METRIC_COUNTER});
    add_row(metrics, &metrics->redis_losses,
            (struct metric){.name = "seek_signal_intake_redis_losses_total",
                            .help = "Connections to Redis that the intake lost.",
                            .type = METRIC_COUNTER});
    add_row(metrics, &metrics->redis_round_trip,
            (struct metric){.name = "seek_signal_intake_redis_round_trip_seconds",
                            .help = "The intake's round trips to Redis, the newest of each "
                                    "turn of a loop.",
                            .type = METRIC_HISTOGRAM,
                            BOUNDS(duration_bounds)});
    add_census_rows(metrics);
}

void inbound_metrics_count_reply(struct inbound_metrics *metrics, unsigned status,
                                 int64_t duration_us)
{
    assert(status >= 200 && status < 600);
    metric_add(&metrics->requests[status / 100 - 2], 1);
    metric_observe_us(&metrics->request_duration, duration_us);
}

/* A histogram takes microseconds and prints seconds: an event counts as one second. */
void inbound_metrics_count_batch(struct inbound_metrics *metrics, size_t events)
{
    metric_observe_us(&metrics->batch_events, (int64_t)events * 1000000);
}
