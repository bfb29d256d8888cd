/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the intake counts, for all its threads together.
 *
 * Owns:    its rows.
 * Threads: init before the threads start; counting from any.
 * Blocks:  never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/metrics.h"

enum intake_result { /* the label values of seek_signal_intake_events_total */
                     INTAKE_ACCEPTED,
                     INTAKE_DUPLICATE,
                     INTAKE_REPLACED,
                     INTAKE_REFUSED,
                     INTAKE_UNAVAILABLE,
                     INTAKE_RESULT_COUNT,
};

enum { STATUS_CLASS_COUNT = 4 /* 2xx to 5xx */, INBOUND_METRICS_MAX = 32 };

struct inbound_metrics {
    struct metric events[INTAKE_RESULT_COUNT];
    struct metric requests[STATUS_CLASS_COUNT];
    struct metric request_duration, intake_duration;
    struct metric open_requests, connections;
    struct metric batch_events;
    struct metric redis_connects, redis_losses, redis_round_trip;
    struct metric due, dead, oldest_due_age, paused; /* of all processes on this Redis: census.h */
    struct metric *rows[INBOUND_METRICS_MAX];
    size_t row_count;
};

void inbound_metrics_init(struct inbound_metrics *metrics);
void inbound_metrics_count_reply(struct inbound_metrics *metrics, unsigned status,
                                 int64_t duration_us);
void inbound_metrics_count_batch(struct inbound_metrics *metrics, size_t events);
