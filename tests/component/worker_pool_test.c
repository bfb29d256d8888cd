/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the workers send, and what is seen of them from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "service/outbound/claimer.h"

#include "tests/support/specification.h"
#include "tests/support/worker_pool_stand.h"

/* --- what is sent ------------------------------------------------------------------ */

static void sends_the_documented_request(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    const struct accept_item item = {.application_id = "A-1",
                                     .seek_token = "seek-token-1",
                                     .event_id = EVENT_ID,
                                     .completed_at_ms = 1577923200000,
                                     .traceparent =
                                         "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    must_accept(driver_of(stand), &item, 1);
    worker_pool_note_due(pool_of(stand), true);
    assert_int_equal(must_deliver(stand, "A-1")->attempts, 1);

    const struct fake_request request = fake_seek_last_signal(seek_of(stand));
    assert_memory_equal(request.head, "POST /graphql HTTP/1.1\r\n", 24);
    assert_string_equal(fake_header(&request, "Accept-Language"), "en-AU");
    assert_string_equal(fake_header(&request, "Content-Type"), "application/json");
    assert_string_equal(fake_header(&request, "User-Agent"), "tester/1.2.3");
    assert_string_equal(fake_header(&request, "X-Request-Id"),
                        "0a0b0c0d-1111-4222-8333-444400000001");
    assert_string_equal(fake_header(&request, "X-Session-Id"), EVENT_ID);
    assert_string_equal(fake_header(&request, "traceparent"), item.traceparent);
    assert_string_equal(request.body,
                        "{\"query\":\"mutation ($input: SendSignalInput!) {\\n  sendSignal(input: "
                        "$input)\\n}\",\"variables\":{\"input\":{\"typeCode\":"
                        "\"ApplicationComplete\",\"token\":\"seek-token-1\",\"timestamp\":"
                        "\"2020-01-02T00:00:00.000Z\"}}}");
    assert_string_equal(fake_seek_last_fetch(seek_of(stand)),
                        "{\"audience\":\"https://graphql.seek.com\",\"client_id\":\"client-1\","
                        "\"client_secret\":\"" CLIENT_SECRET
                        "\",\"grant_type\":\"client_credentials\"}");

    WAIT_UNTIL(status_of(stand).workers_connected == POOL_WORKERS);
    assert_int_equal(status_of(stand).delivered, 1);
    assert_in_range(clock_wall_ms() - status_of(stand).last_delivered_at_ms, 0, POOL_PATIENCE_MS);
    assert_int_equal(count_in_log(stand, "signal_delivered"), 1);
}

static void leaves_out_an_absent_traceparent(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    accept_one(stand, "A-1", "seek-token-1");
    (void)must_deliver(stand, "A-1");
    const struct fake_request request = fake_seek_last_signal(seek_of(stand));
    assert_null(fake_header(&request, "traceparent"));
}

static void delivers_each_of_many_once(void **state)
{
    struct worker_pool_stand *stand = *state;
    enum { COUNT = 300 };
    start_pool(stand);
    accept_many(stand, COUNT);
    must_deliver_many(stand, COUNT);
    assert_int_equal(fake_seek_signals(seek_of(stand)), COUNT);
    assert_int_equal(status_of(stand).delivered, COUNT);
    assert_in_range(fake_seek_connections_peak(seek_of(stand)), 1,
                    POOL_IN_FLIGHT_MAX + POOL_WORKERS);
    struct sending_gate_status gate;
    sending_gate_status(gate_of(stand), clock_monotonic_ms(), &gate);
    assert_int_equal(gate.in_flight, 0);
}

static void finds_what_others_have_accepted(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    accept_quietly(stand, "B-1", "seek-token-x");
    (void)must_deliver(stand, "B-1");
}

/* --- seen from outside ------------------------------------------------------------- */

/* Until when it rests, or when it turned last. */
static int64_t beat_ms(const struct heartbeat *heartbeat)
{
    return atomic_load(&heartbeat->beaten_at_ms);
}

static void the_loops_show_that_they_turn(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    size_t count;
    const struct heartbeat *heartbeats = worker_pool_heartbeats(pool_of(stand), &count);
    assert_int_equal(count, POOL_WORKERS);
    assert_string_equal(heartbeats[0].name, "worker-0");
    int64_t started_ms = clock_monotonic_ms();
    for (size_t i = 0; i < count; i++) {
        WAIT_UNTIL(beat_ms(&heartbeats[i]) > started_ms);
        assert_in_range(beat_ms(&heartbeats[i]), started_ms,
                        clock_monotonic_ms() + CLAIMER_WAIT_MAX_MS);
    }
}

static void metrics_have_fixed_labels(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand),
                          (struct fake_answer){.body = ERROR_BODY("WHO_KNOWS", "x")}, 1);
    start_pool(stand);
    accept_many(stand, 2);
    must_deliver_many(stand, 2);
    WAIT_UNTIL(status_of(stand).retried == 1);
    struct metric_registry registry = {.count = 0};
    metric_registry_add(&registry, worker_pool_metrics(pool_of(stand)));
    struct buffer text;
    buffer_init(&text, 65536);
    assert_true(metric_registry_write(&text, &registry, NULL));
    assert_non_null(strstr(text.bytes, "seek_signal_attempts_total{class=\"delivered\"} 2\n"));
    assert_non_null(strstr(text.bytes, "seek_signal_attempts_total{class=\"transient\"} 1\n"));
    assert_non_null(strstr(text.bytes, "seek_signal_attempt_duration_seconds_count 3\n"));
    assert_non_null(strstr(text.bytes, "seek_signal_delivered_total 2\n"));
    assert_null(strstr(text.bytes, "A-0"));
    assert_null(strstr(text.bytes, "WHO_KNOWS"));
    buffer_fini(&text);
}

static void full_log_shows_bodies_without_credentials(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(
        seek_of(stand),
        (struct fake_answer){.body = ERROR_BODY("X", "got Bearer " ACCESS_TOKEN "-1-1")}, 1);
    start_pool_with(stand, &(struct pool_variation){.is_upstream_logged = true});
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    assert_in_range(count_in_log(stand, "upstream_request"), 3, 3);
    assert_int_equal(count_in_log(stand, "upstream_answer"), 3);
    assert_in_range(count_in_log(stand, "SendSignalInput"), 2, 2);
    assert_in_range(count_in_log(stand, "requestLatency"), 1, 1);
    assert_in_range(count_in_log(stand, "Bearer [hidden]"), 2, 2);
    /* and the stand looks for credentials */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("sends the request that SEEK documents", sends_the_documented_request),
        SCENE("leaves out an absent traceparent", leaves_out_an_absent_traceparent),
        SCENE("delivers each of many, once", delivers_each_of_many_once),
        SCENE("finds what other processes have accepted", finds_what_others_have_accepted),
        SCENE("shows that its loops turn", the_loops_show_that_they_turn),
        SCENE("counts with fixed labels", metrics_have_fixed_labels),
        SCENE("logs whole bodies on request, without credentials",
              full_log_shows_bodies_without_credentials),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("worker_pool", tests, worker_pool_stand_begin,
                                       worker_pool_stand_finish);
}
