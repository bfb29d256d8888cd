/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Spans on their way to a collector that does what the test says.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/net/http_client.h"

#include "service/tracing/tracer.h"

#include "tests/support/captured_log.h"
#include "tests/support/fake_http.h"
#include "tests/support/specification.h"
#include "tests/support/wait_until.h"

enum { ANSWERS_MAX = 16, PATIENCE_MS = 15000, NEVER_MS = 3600000 };

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-"

struct stand {
    struct captured_log *log;
    struct fake_http *server;
    struct secret *headers;
    struct tracer *tracer;
    char url[64];
    /* Holding `lock`. */
    pthread_mutex_t lock;
    struct fake_answer answers[ANSWERS_MAX]; /* then 200 */
    unsigned answered;
    /* Any thread. */
    char head[1024], body[65536]; /* of the last request, once `spans` counts it */
    _Atomic int64_t last_at_ms;   /* when it came */
    _Atomic size_t spans;         /* in all requests */
};

/* --- the stand ------------------------------------------------------------------------- */

static size_t spans_in(const char *body)
{
    size_t count = 0;
    for (const char *at = body; (at = strstr(at, "\"traceId\"")) != NULL; at++)
        count++;
    return count;
}

static struct fake_answer answer(void *context, const struct fake_request *request)
{
    struct stand *stand = context;
    (void)snprintf(stand->head, sizeof stand->head, "%s", request->head);
    (void)snprintf(stand->body, sizeof stand->body, "%s", request->body);
    atomic_store(&stand->last_at_ms, clock_monotonic_ms());
    atomic_fetch_add(&stand->spans, spans_in(request->body));
    struct fake_answer next = {.body = "{}"};
    (void)pthread_mutex_lock(&stand->lock);
    if (stand->answered < ANSWERS_MAX)
        next = stand->answers[stand->answered++];
    (void)pthread_mutex_unlock(&stand->lock);
    return next;
}

static void will_answer(struct stand *stand, const struct fake_answer answers[], size_t count)
{
    assert_true(count <= ANSWERS_MAX);
    (void)pthread_mutex_lock(&stand->lock);
    memcpy(stand->answers, answers, count * sizeof *answers);
    (void)pthread_mutex_unlock(&stand->lock);
}

#define WILL_ANSWER(stand, ...)                                                                    \
    do {                                                                                           \
        const struct fake_answer answers_[] = {__VA_ARGS__};                                       \
        will_answer((stand), answers_, sizeof answers_ / sizeof answers_[0]);                      \
    } while (0)

static int set_up(void **state)
{
    struct stand *stand = calloc(1, sizeof *stand);
    assert_non_null(stand);
    (void)pthread_mutex_init(&stand->lock, NULL);
    stand->log = captured_log_start();
    stand->server = fake_http_start(answer, stand);
    stand->headers = secret_from_value("X-Key=hunter2,X-Team=a%20b", NULL);
    (void)snprintf(stand->url, sizeof stand->url, "http://127.0.0.1:%u/v1/traces",
                   fake_http_port(stand->server));
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    tracer_destroy(stand->tracer);
    fake_http_stop(stand->server);
    secret_destroy(stand->headers);
    captured_log_stop(stand->log);
    assert_int_equal(captured_log_count(stand->log, "hunter2"), 0);
    captured_log_destroy(stand->log);
    (void)pthread_mutex_destroy(&stand->lock);
    free(stand);
    return 0;
}

#define SCENE(sentence, function) IT_WITH(sentence, function, set_up, tear_down)

static struct tracer_options usual(const struct stand *stand)
{
    return (struct tracer_options){
        .collector = {.url = stand->url,
                      .headers = stand->headers,
                      .user_agent = "tester/1",
                      .timeout_ms = 5000,
                      .budget_ms = 10000,
                      .pause_base_ms = 10,
                      .pause_max_ms = 50},
        .source = {.version = "1",
                   .graphql_url = "https://graphql.seek.com/graphql",
                   .token_url = "https://auth.seek.com/oauth/token"},
        .sampler = {.rule = SAMPLER_ALWAYS, .follows_parent = true, .ratio = 1},
        .queue_max = 2048,
        .batch_max = 512,
        .delay_ms = 10,
    };
}

static void start(struct stand *stand, const struct tracer_options *options)
{
    struct error error;
    stand->tracer = tracer_create(options, &error);
    assert_non_null(stand->tracer);
}

static void start_usual(struct stand *stand)
{
    const struct tracer_options options = usual(stand);
    start(stand, &options);
}

static void end_spans(struct stand *stand, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        tracer_end(stand->tracer, tracer_begin(stand->tracer, SPAN_ATTEMPT, TRACE "01"), 1000);
}

static int64_t counted(const struct stand *stand, const char *result)
{
    const struct metric_table table = tracer_metrics(stand->tracer);
    for (size_t i = 0; i < table.count; i++) {
        if (strstr(table.metrics[i].row->labels, result) != NULL)
            return metric_value(&table.metrics[i]);
    }
    fail_msg("no metric for %s", result);
    return -1;
}

#define WAIT_UNTIL(condition) WAIT_UNTIL_WITHIN(PATIENCE_MS, condition)

/* The first time of that name, in microseconds. */
static int64_t time_in(const char *body, const char *name)
{
    const char *at = strstr(body, name);
    assert_non_null(at);
    return strtoll(at + strlen(name), NULL, 10) / 1000;
}

/* --- what is sent ---------------------------------------------------------------------- */

static void sends_spans_with_their_places(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.delay_ms = NEVER_MS;
    options.batch_max = 2; /* and it goes at once */
    start(stand, &options);
    struct span *request = tracer_begin(stand->tracer, SPAN_INTAKE, TRACE "01");
    struct span *attempt = tracer_begin(stand->tracer, SPAN_ATTEMPT, request->traceparent);
    assert_memory_equal(request->traceparent, TRACE, SPAN_ID_AT);
    assert_memory_equal(attempt->traceparent, TRACE, SPAN_ID_AT);
    assert_memory_not_equal(request->traceparent + SPAN_ID_AT, &TRACE[SPAN_ID_AT], SPAN_ID_DIGITS);
    assert_string_equal(request->parent_id, "00f067aa0ba902b7");
    assert_memory_equal(attempt->parent_id, request->traceparent + SPAN_ID_AT, SPAN_ID_DIGITS);
    assert_string_equal(attempt->traceparent + SPAN_ID_AT + SPAN_ID_DIGITS, "-01");
    char own_id[64];
    (void)snprintf(own_id, sizeof own_id, "\"spanId\":\"%.16s\"",
                   attempt->traceparent + SPAN_ID_AT);

    int64_t before_us = clock_wall_us();
    tracer_end(stand->tracer, request, 5000000);
    int64_t after_us = clock_wall_us();
    tracer_end(stand->tracer, attempt, 1000);
    WAIT_UNTIL(counted(stand, "exported") == 2 && stand->spans == 2);

    const struct fake_request seen = {.head = stand->head, .body = stand->body};
    assert_memory_equal(seen.head, "POST /v1/traces HTTP/1.1\r\n", 26);
    assert_string_equal(fake_header(&seen, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&seen, "User-Agent"), "tester/1");
    assert_string_equal(fake_header(&seen, "X-Key"), "hunter2");
    assert_string_equal(fake_header(&seen, "X-Team"), "a b");
    int64_t start_us = time_in(seen.body, "\"startTimeUnixNano\":\"");
    int64_t end_us = time_in(seen.body, "\"endTimeUnixNano\":\"");
    assert_in_range(end_us, before_us, after_us);
    assert_int_equal(end_us - start_us, 5000000);
    assert_non_null(strstr(seen.body, own_id));
    assert_non_null(strstr(seen.body, "\"parentSpanId\":\"00f067aa0ba902b7\""));
}

static void begins_a_trace(void **state)
{
    struct stand *stand = *state;
    start_usual(stand);
    static const char *const parents[] = {NULL, "", "00-nonsense"};
    char before[TRACEPARENT_BYTES + 1] = "";
    for (size_t i = 0; i < 3; i++) {
        char known[TRACEPARENT_BYTES + 1];
        struct span *span = tracer_begin(stand->tracer, SPAN_ACCESS_TOKEN, parents[i]);
        assert_true(traceparent_read(span->traceparent, known));
        assert_string_equal(known + TRACEPARENT_BYTES - 3, "-01");
        assert_string_equal(span->parent_id, "");
        assert_memory_not_equal(known, before, SPAN_ID_AT - 1);
        memcpy(before, known, sizeof known);
        tracer_end(stand->tracer, span, 0);
    }
    WAIT_UNTIL(counted(stand, "exported") == 3);
}

/* It is still a span of its own for whoever comes after it. */
static void leaves_out_what_is_not_sampled(void **state)
{
    struct stand *stand = *state;
    start_usual(stand);
    struct span *span = tracer_begin(stand->tracer, SPAN_ATTEMPT, TRACE "02");
    assert_memory_not_equal(span->traceparent + SPAN_ID_AT, &TRACE[SPAN_ID_AT], SPAN_ID_DIGITS);
    assert_string_equal(span->traceparent + TRACEPARENT_BYTES - 3, "-02");
    tracer_end(stand->tracer, span, 0);
    end_spans(stand, 1);
    tracer_stop(stand->tracer, clock_monotonic_ms() + PATIENCE_MS);
    assert_int_equal(stand->spans, 1);
    assert_int_equal(counted(stand, "exported"), 1);
    assert_int_equal(counted(stand, "dropped"), 0);
}

static void costs_nothing_without_a_tracer(void **state)
{
    (void)state;
    assert_null(tracer_begin(NULL, SPAN_INTAKE, TRACE "01"));
    tracer_end(NULL, NULL, 0);
    tracer_stop(NULL, 0);
    tracer_destroy(NULL);
}

/* --- when the collector does not do its part --------------------------------------------- */

static void drops_what_finds_no_room(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.queue_max = 8;
    options.batch_max = 4;
    options.delay_ms = NEVER_MS;
    const struct fake_answer silent = {.act = FAKE_SILENT};
    WILL_ANSWER(stand, silent, silent, silent, silent);
    start(stand, &options);
    end_spans(stand, 4);
    WAIT_UNTIL(fake_http_requests(stand->server) == 1); /* 4 are on their way */
    end_spans(stand, 100);
    assert_int_equal(counted(stand, "dropped"), 92);
    int64_t before_ms = clock_monotonic_ms();
    tracer_stop(stand->tracer, before_ms + 200);
    assert_in_range(clock_monotonic_ms() - before_ms, 0, PATIENCE_MS);
    assert_int_equal(counted(stand, "failed"), 12);
    assert_int_equal(counted(stand, "exported"), 0);
    end_spans(stand, 1);
    assert_int_equal(counted(stand, "dropped"), 93);
    assert_int_equal(captured_log_count(stand->log, "spans_lost"), 1);
}

/* Its wake-up came while the thread was waiting for the collector. */
static void sends_at_once_what_filled_a_batch_meanwhile(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.batch_max = 2;
    options.delay_ms = NEVER_MS;
    WILL_ANSWER(stand, {.body = "{}", .delay_ms = 300});
    start(stand, &options);
    end_spans(stand, 2);
    WAIT_UNTIL(fake_http_requests(stand->server) == 1);
    end_spans(stand, 3);
    WAIT_UNTIL(counted(stand, "exported") == 4);
    assert_int_equal(fake_http_requests(stand->server), 2);
}

static void repeats_what_is_worth_it(void **state)
{
    struct stand *stand = *state;
    WILL_ANSWER(stand, {.status = 429}, {.status = 502}, {.status = 503}, {.status = 504},
                {.act = FAKE_RESET}, {.act = FAKE_CLOSE});
    start_usual(stand);
    end_spans(stand, 1);
    WAIT_UNTIL(counted(stand, "exported") == 1);
    assert_int_equal(fake_http_requests(stand->server), 7);
    assert_int_equal(counted(stand, "failed"), 0);
    assert_int_equal(captured_log_count(stand->log, "spans_lost"), 0);
}

static void waits_as_long_as_it_is_asked_to(void **state)
{
    struct stand *stand = *state;
    WILL_ANSWER(stand, {.status = 503, .headers = "Retry-After: 1\r\n"});
    start_usual(stand);
    end_spans(stand, 1);
    WAIT_UNTIL(stand->spans == 1);
    int64_t first_ms = stand->last_at_ms;
    WAIT_UNTIL(counted(stand, "exported") == 1 && stand->spans == 2);
    assert_in_range(stand->last_at_ms - first_ms, 1000, PATIENCE_MS);
}

static void gives_up_what_takes_too_long(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.collector.budget_ms = 2900;
    WILL_ANSWER(stand, {.status = 503, .headers = "Retry-After: 3\r\n"});
    start(stand, &options);
    end_spans(stand, 1);
    WAIT_UNTIL(counted(stand, "failed") == 1 && stand->spans == 1);
    int64_t first_ms = stand->last_at_ms;
    end_spans(stand, 1);
    WAIT_UNTIL(counted(stand, "exported") == 1 && stand->spans == 2);
    assert_in_range(stand->last_at_ms - first_ms, 3000, PATIENCE_MS); /* the next one waits too */
}

static void says_once_that_spans_are_lost(void **state)
{
    struct stand *stand = *state;
    WILL_ANSWER(stand, {.status = 400}, {.status = 401}, {.status = 500});
    start_usual(stand);
    for (unsigned i = 1; i <= 3; i++) {
        end_spans(stand, 1);
        WAIT_UNTIL(counted(stand, "failed") == i);
    }
    assert_int_equal(fake_http_requests(stand->server), 3);
    assert_int_equal(captured_log_count(stand->log, "\"spans_lost\""), 1);
    assert_int_equal(captured_log_count(stand->log, "the collector answers HTTP 400"), 1);
    end_spans(stand, 1);
    WAIT_UNTIL(captured_log_count(stand->log, "\"spans_kept\"") == 1);
    assert_int_equal(counted(stand, "exported"), 1);
}

static void counts_what_is_rejected(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.delay_ms = NEVER_MS;
    options.batch_max = 5;
    WILL_ANSWER(
        stand,
        {.body = "{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"too old\"}}"},
        {.body = "{\"partialSuccess\":{\"rejectedSpans\":3}}"},
        {.body = "{\"partialSuccess\":{\"errorMessage\":\"a hint\"}}"},
        {.body = "{\"partialSuccess\":{\"rejectedSpans\":\"9999999999999999999\"}}"},
        {.body = "not JSON"});
    static const int64_t failed[] = {2, 5, 5, 10, 10};
    start(stand, &options);
    for (unsigned i = 0; i < 5; i++) {
        end_spans(stand, 5);
        WAIT_UNTIL(counted(stand, "exported") + counted(stand, "failed") == 5 * (i + 1));
        assert_int_equal(counted(stand, "failed"), failed[i]);
    }
    assert_int_equal(fake_http_requests(stand->server), 5);
    assert_int_equal(captured_log_count(stand->log, "the collector rejects spans: too old"), 1);
}

/* --- the end ----------------------------------------------------------------------------- */

static void sends_what_waits_at_the_end(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.delay_ms = NEVER_MS;
    options.batch_max = 4;
    start(stand, &options);
    end_spans(stand, 3);
    tracer_stop(stand->tracer, clock_monotonic_ms() + PATIENCE_MS);
    assert_int_equal(counted(stand, "exported"), 3);
    assert_int_equal(stand->spans, 3);
}

static void *end_many(void *context)
{
    end_spans(context, 500);
    return NULL;
}

static void takes_spans_from_many_threads(void **state)
{
    struct stand *stand = *state;
    struct tracer_options options = usual(stand);
    options.queue_max = 1000;
    options.batch_max = 20;
    start(stand, &options);
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, end_many, stand), 0);
    for (unsigned i = 0; i < 4; i++)
        (void)pthread_join(threads[i], NULL);
    tracer_stop(stand->tracer, clock_monotonic_ms() + PATIENCE_MS);
    assert_int_equal(counted(stand, "exported") + counted(stand, "dropped"), 2000);
    assert_int_equal(stand->spans, counted(stand, "exported"));
}

static void refuses_headers_that_cannot_be_sent(void **state)
{
    (void)state;
    static const char *const lists[] = {"a", "=b", "a b=c", "a=%0d%0aX:%20y", "a=%zz", "a:=b"};
    struct error error;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        AUTO(secret) *headers = secret_from_value(lists[i], NULL);
        if (collector_check_headers(headers, &error))
            fail_msg("took %s", lists[i]);
    }
    AUTO(secret) *fine = secret_from_value("Authorization=Bearer%20abc==,x=", NULL);
    assert_true(collector_check_headers(fine, &error));
    assert_true(collector_check_headers(NULL, &error));
    AUTO(secret) *missing = secret_from_file("/nonexistent/headers", NULL);
    assert_false(collector_check_headers(missing, &error));
}

static int begin(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    return http_client_startup(NULL) ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    http_client_cleanup();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("sends spans with their places in the trace", sends_spans_with_their_places),
        SCENE("begins a trace where none is given", begins_a_trace),
        SCENE("leaves out what is not sampled", leaves_out_what_is_not_sampled),
        IT("costs nothing without a tracer", costs_nothing_without_a_tracer),
        SCENE("drops and counts what finds no room", drops_what_finds_no_room),
        SCENE("sends at once what filled a batch meanwhile",
              sends_at_once_what_filled_a_batch_meanwhile),
        SCENE("repeats a request when that is worth it", repeats_what_is_worth_it),
        SCENE("waits as long as Retry-After says", waits_as_long_as_it_is_asked_to),
        SCENE("gives up what would take too long", gives_up_what_takes_too_long),
        SCENE("says once that spans are lost, and once that they are not any more",
              says_once_that_spans_are_lost),
        SCENE("counts what the collector rejects", counts_what_is_rejected),
        SCENE("sends at the end what waits", sends_what_waits_at_the_end),
        SCENE("takes spans from many threads", takes_spans_from_many_threads),
        IT("refuses headers that cannot be sent", refuses_headers_that_cannot_be_sent),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("tracer", tests, begin, finish);
}
