/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "lib/base/metrics.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

static void expect(const struct metric metrics[], size_t count, const char *expected)
{
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 10000);
    assert_true(metrics_write(&buffer, metrics, count, &error));
    assert_string_equal(buffer.bytes, expected);
    buffer_fini(&buffer);
}

static void counters_and_gauges_have_help_type_and_value(void **state)
{
    (void)state;
    enum { EVENTS, OPEN, COUNT };
    static const struct metric_row rows[COUNT] = {
        [EVENTS] = METRIC_ROW(COUNTER, "events_total", "Events."),
        [OPEN] = METRIC_ROW(GAUGE, "connections", "Open now."),
    };
    struct metric metrics[COUNT];
    metrics_init(metrics, rows, COUNT);
    metric_add(&metrics[EVENTS], 1);
    metric_add(&metrics[EVENTS], 41);
    metric_set(&metrics[OPEN], 7);
    metric_add(&metrics[OPEN], -10);
    assert_int_equal(metric_value(&metrics[OPEN]), -3);
    expect(metrics, 2,
           "# HELP events_total Events.\n# TYPE events_total counter\nevents_total 42\n"
           "# HELP connections Open now.\n# TYPE connections gauge\nconnections -3\n");
}

static void rows_of_one_name_share_help_and_type(void **state)
{
    (void)state;
    static const struct metric_row rows[] = {
        METRIC_ROW(COUNTER, "a_total", "A.", .labels = "result=\"yes\""),
        METRIC_ROW(COUNTER, "a_total", "A.", .labels = "result=\"no\""),
        METRIC_ROW(GAUGE, "b", "B."),
    };
    struct metric metrics[3];
    metrics_init(metrics, rows, 3);
    metric_add(&metrics[1], 5);
    expect(metrics, 3,
           "# HELP a_total A.\n# TYPE a_total counter\n"
           "a_total{result=\"yes\"} 0\na_total{result=\"no\"} 5\n"
           "# HELP b B.\n# TYPE b gauge\nb 0\n");
}

static void a_scale_turns_units_into_seconds(void **state)
{
    (void)state;
    static const struct metric_row row = METRIC_ROW(GAUGE, "age_seconds", "Age.", .scale = 0.001);
    struct metric age = {.row = &row};
    metric_set(&age, 1767323045678);
    expect(&age, 1,
           "# HELP age_seconds Age.\n# TYPE age_seconds gauge\nage_seconds 1767323045.678\n");
}

static void an_unknown_value_is_not_a_number(void **state)
{
    (void)state;
    static const struct metric_row row = METRIC_ROW(GAUGE, "a_seconds", "A.", .scale = 0.001);
    struct metric age = {.row = &row};
    metric_set(&age, METRIC_UNKNOWN);
    expect(&age, 1, "# HELP a_seconds A.\n# TYPE a_seconds gauge\na_seconds NaN\n");
}

static const struct metric_row n_row = METRIC_ROW(COUNTER, "n_total", "N.");

static void large_values_keep_every_digit(void **state)
{
    (void)state;
    struct metric count = {.row = &n_row};
    metric_add(&count, INT64_MAX);
    expect(&count, 1, "# HELP n_total N.\n# TYPE n_total counter\nn_total 9223372036854775807\n");
}

static const double bounds[] = {0.001, 0.1, 2.5};
static const struct metric_row d_row =
    METRIC_ROW(HISTOGRAM, "d_seconds", "D.", METRIC_BOUNDS(bounds));

static void a_histogram_is_cumulative(void **state)
{
    (void)state;
    struct metric duration = {.row = &d_row};
    static const int64_t observed_us[] = {0, 1000, 1001, 100000, 2500000, 2500001, 9000000};
    for (size_t i = 0; i < sizeof observed_us / sizeof observed_us[0]; i++)
        metric_observe_us(&duration, observed_us[i]);
    expect(&duration, 1,
           "# HELP d_seconds D.\n# TYPE d_seconds histogram\n"
           "d_seconds_bucket{le=\"0.001\"} 2\nd_seconds_bucket{le=\"0.1\"} 4\n"
           "d_seconds_bucket{le=\"2.5\"} 5\nd_seconds_bucket{le=\"+Inf\"} 7\n"
           "d_seconds_sum 14.102002\nd_seconds_count 7\n");
}

static void a_histogram_may_have_labels(void **state)
{
    (void)state;
    static const struct metric_row row = METRIC_ROW(
        HISTOGRAM, "d_seconds", "D.", .labels = "to=\"seek\"", .bounds = bounds, .bound_count = 1);
    struct metric duration = {.row = &row};
    metric_observe_us(&duration, 5000);
    expect(&duration, 1,
           "# HELP d_seconds D.\n# TYPE d_seconds histogram\n"
           "d_seconds_bucket{to=\"seek\",le=\"0.001\"} 0\n"
           "d_seconds_bucket{to=\"seek\",le=\"+Inf\"} 1\n"
           "d_seconds_sum{to=\"seek\"} 0.005\nd_seconds_count{to=\"seek\"} 1\n");
}

enum { THREADS = 4, ROUNDS = 10000 };

static void *count_and_observe(void *context)
{
    struct metric *metrics = context;
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(&metrics[0], 1);
        metric_observe_us(&metrics[1], 10);
    }
    return NULL;
}

static void no_count_is_lost_between_threads(void **state)
{
    (void)state;
    struct metric metrics[] = {{.row = &n_row}, {.row = &d_row}};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_and_observe, metrics), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(metrics[0].value, THREADS * ROUNDS);
    assert_int_equal(metrics[1].buckets[0], THREADS * ROUNDS);
    assert_int_equal(metrics[1].value, THREADS * ROUNDS * 10);
}

static void a_full_buffer_and_missing_memory_are_reported(void **state)
{
    (void)state;
    struct metric metric = {.row = &d_row};
    struct buffer whole;
    struct error error;
    buffer_init(&whole, 10000);
    assert_true(metrics_write(&whole, &metric, 1, &error));
    for (size_t length = 0; length < whole.length; length++) {
        struct buffer buffer;
        buffer_init(&buffer, length);
        assert_false(metrics_write(&buffer, &metric, 1, &error));
        assert_int_equal(error.kind, ERROR_FULL);
        buffer_fini(&buffer);
    }
    buffer_fini(&whole);
    failing_malloc_arm(0);
    assert_false(metrics_write(&whole, &metric, 1, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
    buffer_fini(&whole);
}

static void look(void *context)
{
    metric_add(context, 7);
}

static void a_registry_refreshes_its_tables_and_keeps_their_order(void **state)
{
    (void)state;
    static const struct metric_row b_row = METRIC_ROW(GAUGE, "b", "B.");
    struct metric b = {.row = &b_row}, n = {.row = &n_row};
    struct metric_registry registry = {.count = 0};
    metric_registry_add(&registry, (struct metric_table){&b, 1, look, &b});
    metric_registry_add(&registry, (struct metric_table){.metrics = &n, .count = 1});
    struct buffer text;
    buffer_init(&text, 10000);
    assert_true(metric_registry_write(&text, &registry, NULL));
    assert_string_equal(text.bytes, "# HELP b B.\n# TYPE b gauge\nb 7\n"
                                    "# HELP n_total N.\n# TYPE n_total counter\nn_total 0\n");
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives counters and gauges help, type and value",
           counters_and_gauges_have_help_type_and_value),
        IT("writes help and type once for rows of one name", rows_of_one_name_share_help_and_type),
        IT("scales values to the unit of the name", a_scale_turns_units_into_seconds),
        IT("prints NaN for what is not known", an_unknown_value_is_not_a_number),
        IT("keeps every digit of large values", large_values_keep_every_digit),
        IT("writes histograms cumulatively", a_histogram_is_cumulative),
        IT("writes histograms with labels", a_histogram_may_have_labels),
        IT("loses no count between threads", no_count_is_lost_between_threads),
        IT("refreshes the tables of a registry, and writes them in their order",
           a_registry_refreshes_its_tables_and_keeps_their_order),
        IT("reports a full buffer and missing memory",
           a_full_buffer_and_missing_memory_are_reported),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
