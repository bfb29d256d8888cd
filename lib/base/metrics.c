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

void metrics_init(struct metric metrics[], const struct metric_row rows[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(rows[i].bound_count <= METRIC_BUCKETS_MAX);
        metrics[i].row = &rows[i];
        atomic_init(&metrics[i].value, 0);
        for (size_t bucket = 0; bucket <= METRIC_BUCKETS_MAX; bucket++)
            atomic_init(&metrics[i].buckets[bucket], 0);
    }
}

void metric_add(struct metric *metric, int64_t amount)
{
    atomic_fetch_add_explicit(&metric->value, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metric_observe_us(struct metric *metric, int64_t duration_us)
{
    const struct metric_row *row = metric->row;
    assert(row->type == METRIC_HISTOGRAM);
    assert(row->bound_count <= METRIC_BUCKETS_MAX);
    double seconds = (double)duration_us / US_PER_SECOND;
    size_t bucket = 0;
    while (bucket < row->bound_count && seconds > row->bounds[bucket])
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    metric_add(metric, duration_us);
}

static bool write_head(struct buffer *buffer, const struct metric_row *row, struct error *error)
{
    return buffer_append_format(buffer, error, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
                                row->name, type_names[row->type]);
}

static bool write_name(struct buffer *buffer, const struct metric_row *row, const char *suffix,
                       struct error *error)
{
    if (row->labels == NULL)
        return buffer_append_format(buffer, error, "%s%s ", row->name, suffix);
    return buffer_append_format(buffer, error, "%s%s{%s} ", row->name, suffix, row->labels);
}

static bool write_single(struct buffer *buffer, const struct metric *metric, struct error *error)
{
    int64_t value = metric_value(metric);
    assert(metric->row->type != METRIC_HISTOGRAM);
    if (!write_name(buffer, metric->row, "", error))
        return false;
    if (value == METRIC_UNKNOWN)
        return buffer_append_text(buffer, "NaN\n", error);
    if (metric->row->scale == 0)
        return buffer_append_format(buffer, error, "%" PRId64 "\n", value);
    return buffer_append_format(buffer, error, "%.15g\n", (double)value * metric->row->scale);
}

static bool write_bucket(struct buffer *buffer, const struct metric_row *row, const char *bound,
                         uint64_t count, struct error *error)
{
    bool has_labels = row->labels != NULL;
    return buffer_append_format(buffer, error, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", row->name,
                                has_labels ? row->labels : "", has_labels ? "," : "", bound, count);
}

/* The count is the sum of the buckets read here, so that the two agree however many observations
 * come meanwhile. */
static bool write_histogram(struct buffer *buffer, const struct metric *metric, struct error *error)
{
    const struct metric_row *row = metric->row;
    uint64_t count = 0;
    assert(row->type == METRIC_HISTOGRAM);
    for (size_t i = 0; i <= row->bound_count; i++) {
        char bound[32] = "+Inf";
        if (i < row->bound_count)
            (void)snprintf(bound, sizeof bound, "%g", row->bounds[i]);
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        if (!write_bucket(buffer, row, bound, count, error))
            return false;
    }
    return write_name(buffer, row, "_sum", error) &&
           buffer_append_format(buffer, error, "%.15g\n",
                                (double)metric_value(metric) / US_PER_SECOND) &&
           write_name(buffer, row, "_count", error) &&
           buffer_append_format(buffer, error, "%" PRIu64 "\n", count);
}

bool metrics_write(struct buffer *buffer, const struct metric metrics[], size_t count,
                   struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct metric_row *row = metrics[i].row;
        bool is_first_of_name = i == 0 || strcmp(metrics[i - 1].row->name, row->name) != 0;
        if (is_first_of_name && !write_head(buffer, row, error))
            return false;
        bool is_written = row->type == METRIC_HISTOGRAM
                              ? write_histogram(buffer, &metrics[i], error)
                              : write_single(buffer, &metrics[i], error);
        if (!is_written)
            return false;
    }
    return true;
}

void metric_registry_add(struct metric_registry *registry, struct metric_table table)
{
    assert(registry->count < METRIC_TABLES_MAX);
    assert(table.metrics != NULL && table.count > 0);
    registry->tables[registry->count++] = table;
}

bool metric_registry_write(struct buffer *buffer, const struct metric_registry *registry,
                           struct error *error)
{
    assert(registry->count <= METRIC_TABLES_MAX);
    for (size_t i = 0; i < registry->count; i++) {
        const struct metric_table *table = &registry->tables[i];
        if (table->refresh != NULL)
            table->refresh(table->context);
        if (!metrics_write(buffer, table->metrics, table->count, error))
            return false;
    }
    return true;
}
