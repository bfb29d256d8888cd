/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Counters, gauges and histograms in the Prometheus text format, version 0.0.4.
 *
 * Each part declares a constant table of rows, and holds a metric for each of them, in the same
 * order; a registry has the tables of all parts. Label values are fixed in the rows, so nothing
 * that comes from outside can ever become a label.
 *
 * Owns:    nothing; a metric borrows its row, a registry the tables added to it.
 * Threads: values are atomics, any thread; a table is added before the registry is written, by the
 *          thread that writes it or before that thread starts.
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

struct metric_row {
    const char *name; /* with its unit and, for a counter, _total at the end */
    const char *help;
    const char *labels; /* `result="accepted"`, or NULL */
    enum metric_type type;
    const double *bounds; /* histogram: ascending, in seconds; observations are in microseconds */
    size_t bound_count;
    double scale; /* counter and gauge: printed value = value * scale; 0 stands for 1 */
};

/* One of a table: METRIC_ROW(GAUGE, "name_seconds", "Help.", .scale = 1e-3). */
#define METRIC_ROW(type_, name_, ...)                                                              \
    {                                                                                              \
        .type = METRIC_##type_, .name = (name_), .help = __VA_ARGS__                               \
    }
#define METRIC_BOUNDS(array) .bounds = (array), .bound_count = sizeof(array) / sizeof(array)[0]

struct metric {
    const struct metric_row *row; /* set by metrics_init, then read-only */
    /* Any thread. */
    _Atomic int64_t value;                            /* histogram: the sum, in microseconds */
    _Atomic uint64_t buckets[METRIC_BUCKETS_MAX + 1]; /* not cumulative; the last is +Inf */
};

/* `rows` outlive the metrics; all values are 0. */
void metrics_init(struct metric metrics[], const struct metric_row rows[], size_t count);
void metric_add(struct metric *metric, int64_t amount);
void metric_set(struct metric *metric, int64_t value);
void metric_observe_us(struct metric *metric, int64_t duration_us);
int64_t metric_value(const struct metric *metric);

/* Writes `count` metrics. Rows of one name stand together in the table; HELP and TYPE are written
 * once for them. */
MUST_CHECK bool metrics_write(struct buffer *buffer, const struct metric metrics[], size_t count,
                              struct error *error);

struct metric_table {
    const struct metric *metrics; /* borrowed, as `context` */
    size_t count;
    void (*refresh)(
        void *context); /* sets what changes by itself, before each reading; may be NULL */
    void *context;
};

enum { METRIC_TABLES_MAX = 8 };

struct metric_registry { /* zero: empty */
    struct metric_table tables[METRIC_TABLES_MAX];
    size_t count;
};

void metric_registry_add(struct metric_registry *registry, struct metric_table table);
/* The tables in the order in which they were added. */
MUST_CHECK bool metric_registry_write(struct buffer *buffer, const struct metric_registry *registry,
                                      struct error *error);
