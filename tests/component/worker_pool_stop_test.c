/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How the workers end, in whatever state they are.
 */
#include <stdlib.h>

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"
#include "tests/support/worker_pool_stand.h"

static void stop_lets_what_is_in_flight_finish(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 300},
                          5);
    start_pool(stand);
    accept_many(stand, 5);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 5);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop_pool(stand, POOL_PATIENCE_MS).cut, 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, POOL_PATIENCE_MS / 2);
    must_deliver_many(stand, 5);
}

/* Ten are due, and two of them on their way. */
static void begin_two_of_ten(struct worker_pool_stand *stand, unsigned delay_ms)
{
    fake_seek_will_answer(seek_of(stand),
                          (struct fake_answer){.body = DELIVERED, .delay_ms = delay_ms}, 10);
    start_pool_with(stand, &(struct pool_variation){.workers = 1, .in_flight_max = 2});
    accept_many(stand, 10);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) >= 2);
}

static void stop_sends_what_is_due(void **state)
{
    struct worker_pool_stand *stand = *state;
    begin_two_of_ten(stand, 300);
    assert_int_equal(stop_pool(stand, POOL_PATIENCE_MS).cut, 0);
    must_deliver_many(stand, 10);
}

static void stop_keeps_the_rate(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool_with(stand, &(struct pool_variation){.per_second = 5});
    accept_many(stand, 12);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) >= 1);
    assert_int_equal(stop_pool(stand, POOL_PATIENCE_MS).cut, 0);
    must_deliver_many(stand, 12);
}

static void stop_leaves_what_cannot_be_finished(void **state)
{
    struct worker_pool_stand *stand = *state;
    begin_two_of_ten(stand, 1500);
    /* Enough for these two, and less than an attempt may take. */
    assert_int_equal(stop_pool(stand, 4500).cut, 0);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 2);
}

static void stop_cuts_at_the_deadline(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.act = FAKE_SILENT}, 3);
    start_pool_with(stand,
                    &(struct pool_variation){.request_timeout_ms = 60000, .lease_ms = 130000});
    accept_many(stand, 3);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 3);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop_pool(stand, 100).cut, 3);
    assert_in_range(clock_monotonic_ms() - start_ms, 100, POOL_PATIENCE_MS);
    const struct application *application = must_get(driver_of(stand), "A-0");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_string_equal(application->last_code, "SHUTDOWN");
    assert_in_range(application->next_attempt_at_ms, 1, clock_wall_ms());
}

static void stop_ends_without_redis_too(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 200},
                          1);
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.status = 503, .delay_ms = 200}, 1);
    start_pool_with(stand, &(struct pool_variation){.workers = 1});
    accept_many(stand, 2);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 2);
    redis_server_freeze(redis_of(stand));
    int64_t start_ms = clock_monotonic_ms();
    const struct worker_pool_end end = stop_pool(stand, 500);
    assert_int_equal(end.cut, 0);
    assert_int_equal(end.unrecorded, 2);
    assert_int_equal(end.repeats, 1);
    assert_in_range(clock_monotonic_ms() - start_ms, 500, POOL_PATIENCE_MS);
    redis_server_thaw(redis_of(stand));
    assert_int_equal(count_in_log(stand, "outcomes_unrecorded"), 1);
}

static void stop_of_idle_workers_is_quick(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    WAIT_UNTIL(status_of(stand).workers_connected == POOL_WORKERS);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(stop_pool(stand, POOL_PATIENCE_MS).cut, 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, POOL_PATIENCE_MS / 2);
}

static void what_never_ran_can_be_stopped(void **state)
{
    struct worker_pool_stand *stand = *state;
    create_pool(stand, &(struct pool_variation){.workers = 2});
    assert_int_equal(stop_pool(stand, 0).cut, 0);
}

static void leaves_nothing_behind_without_memory(void **state)
{
    struct worker_pool_stand *stand = *state;
    create_pool(stand, &(struct pool_variation){.workers = 1});
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        struct error error;
        failing_malloc_arm(n);
        struct worker_pool *pool = try_to_create_another(stand, &error);
        has_failed = failing_malloc_disarm();
        assert_int_equal(pool == NULL, has_failed);
        if (pool == NULL)
            assert_int_equal(error.kind, ERROR_MEMORY);
        worker_pool_destroy(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("lets what is in flight finish when stopped", stop_lets_what_is_in_flight_finish),
        SCENE("sends what is due before it ends", stop_sends_what_is_due),
        SCENE("sends what is due at its rate until the end", stop_keeps_the_rate),
        SCENE("begins nothing at the stop that it could not finish",
              stop_leaves_what_cannot_be_finished),
        SCENE("cuts what is in flight at the deadline, and records it as a retry",
              stop_cuts_at_the_deadline),
        SCENE("stops in time without Redis", stop_ends_without_redis_too),
        SCENE("stops idle workers at once", stop_of_idle_workers_is_quick),
        SCENE("can be stopped before it was started", what_never_ran_can_be_stopped),
        SCENE("leaves nothing behind when memory is short while it is made",
              leaves_nothing_behind_without_memory),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("worker_pool_stop", tests, worker_pool_stand_begin,
                                       worker_pool_stand_finish);
}
