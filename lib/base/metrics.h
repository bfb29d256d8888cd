/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Counters, gauges and histograms in the Prometheus text format, version 0.0.4.
 *
 * A metric is one row of a table that its user declares; its label values are fixed there, so
 * nothing that comes from outside can ever become a label.
 *
 * Owns:    a registry borrows the metrics added to it; they live as long as it does.
 * Threads: values are atomics, any thread; adding happens before the threads start.
 * Blocks:  never.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_BUCKETS_MAX = 16 };

/* The value of a gauge that nobody knows now; printed as NaN, which no comparison of an alert is
 * true for. */
#define METRIC_UNKNOWN INT64_MIN

struct metric {
    /* Set by its declaration, then read-only. */
    const char *name; /* with its unit and, for a counter, _total at the end */
    const char *help;
    const char *labels; /* `result="accepted"`, or NULL */
    enum metric_type type;
    const double *bounds; /* histogram: ascending, in seconds; observations are in microseconds */
    size_t bound_count;
    double scale; /* counter and gauge: printed value = value * scale; 0 stands for 1 */
    /* Any thread. */
    _Atomic int64_t value;                            /* histogram: the sum, in microseconds */
    _Atomic uint64_t buckets[METRIC_BUCKETS_MAX + 1]; /* not cumulative; the last is +Inf */
};

void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
void metric_observe_us(struct metric *metric, int64_t duration_us);

/* Writes `count` metrics. Rows of one name stand together in the table; HELP and TYPE are written
 * once for them. */
MUST_CHECK bool metrics_write(struct buffer *buffer, struct metric *const metrics[], size_t count,
                              struct error *error);
