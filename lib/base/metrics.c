/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { US_PER_SECOND = 1000000 };

static const char *const type_names[] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram",
};

void metric_add(struct metric *metric, int64_t amount)
{
    atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metric_observe_us(struct metric *metric, int64_t duration_us)
{
    assert(metric->type == METRIC_HISTOGRAM);
    assert(metric->bound_count <= METRIC_BUCKETS_MAX);
    double seconds = (double)duration_us / US_PER_SECOND;
    size_t bucket = 0;
    while (bucket < metric->bound_count && seconds > metric->bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    metric_add(metric, duration_us);
}

static bool write_head(struct buffer *buffer, const struct metric *metric, struct error *error)
{
    return buffer_append_format(buffer, error, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
                                metric->help, metric->name, type_names[metric->type]);
}

static bool write_name(struct buffer *buffer, const struct metric *metric, const char *suffix,
                       struct error *error)
{
    if (metric->labels == NULL)
        return buffer_append_format(buffer, error, "%s%s ", metric->name, suffix);
    return buffer_append_format(buffer, error, "%s%s{%s} ", metric->name, suffix, metric->labels);
}

static bool write_single(struct buffer *buffer, const struct metric *metric, struct error *error)
{
    int64_t value = atomic_load_explicit(&metric->value, memory_order_relaxed);
    if (!write_name(buffer, metric, "", error))
        return false;
    if (value == METRIC_UNKNOWN)
        return buffer_append_text(buffer, "NaN\n", error);
    if (metric->scale == 0)
        return buffer_append_format(buffer, error, "%" PRId64 "\n", value);
    return buffer_append_format(buffer, error, "%.15g\n", (double)value * metric->scale);
}

static bool write_bucket(struct buffer *buffer, const struct metric *metric, const char *bound,
                         uint64_t count, struct error *error)
{
    bool has_labels = metric->labels != NULL;
    return buffer_append_format(buffer, error, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
                                metric->name, has_labels ? metric->labels : "",
                                has_labels ? "," : "", bound, count);
}

/* The count is the sum of the buckets read here, so that the two agree however many observations
 * come meanwhile. */
static bool write_histogram(struct buffer *buffer, const struct metric *metric, struct error *error)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= metric->bound_count; i++) {
        char bound[32] = "+Inf";
        if (i < metric->bound_count)
            (void)snprintf(bound, sizeof bound, "%g", metric->bounds[i]);
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        if (!write_bucket(buffer, metric, bound, count, error))
            return false;
    }
    int64_t sum_us = atomic_load_explicit(&metric->value, memory_order_relaxed);
    return write_name(buffer, metric, "_sum", error) &&
           buffer_append_format(buffer, error, "%.15g\n", (double)sum_us / US_PER_SECOND) &&
           write_name(buffer, metric, "_count", error) &&
           buffer_append_format(buffer, error, "%" PRIu64 "\n", count);
}

bool metrics_write(struct buffer *buffer, struct metric *const metrics[], size_t count,
                   struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct metric *metric = metrics[i];
        bool is_first_of_name = i == 0 || strcmp(metrics[i - 1]->name, metric->name) != 0;
        if (is_first_of_name && !write_head(buffer, metric, error))
            return false;
        bool is_written = metric->type == METRIC_HISTOGRAM ? write_histogram(buffer, metric, error)
                                                           : write_single(buffer, metric, error);
        if (!is_written)
            return false;
    }
    return true;
}
