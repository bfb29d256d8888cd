/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * When the workers send, how much and how fast.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "service/outbound/due_watch.h"

#include "tests/support/specification.h"
#include "tests/support/worker_pool_stand.h"

static void the_last_does_not_wait_for_the_next(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    int64_t start_ms = clock_monotonic_ms();
    /* Unless woken, each would wait a second for the next look. */
    for (unsigned i = 0; i < 20; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "B-%u", i);
        accept_one(stand, id, "seek-token-x");
        (void)must_deliver(stand, id);
    }
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 12000);
}

/* More than one worker may have in flight. */
static void a_backlog_is_for_all_workers(void **state)
{
    enum { IN_FLIGHT = 130, WORKERS = 2 };
    struct worker_pool_stand *stand = *state;
    start_pool_with(stand, &(struct pool_variation){.workers = WORKERS,
                                                    .in_flight_max = IN_FLIGHT,
                                                    .request_timeout_ms = 30000,
                                                    .lease_ms = 70000});
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 9000},
                          IN_FLIGHT);
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "B-%u", i);
        accept_quietly(stand, id, "seek-token-x");
    }
    int64_t start_ms = clock_monotonic_ms();
    worker_pool_note_due(pool_of(stand), true); /* once: the first passes it on */
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 1 + IN_FLIGHT);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 8500); /* before the first answer */
}

/* So many rest until then at least, if nobody wakes them. */
static size_t asleep_for(const struct worker_pool_stand *stand, int64_t duration_ms)
{
    size_t workers, count = 0;
    const struct heartbeat *heartbeats = worker_pool_heartbeats(pool_of(stand), &workers);
    for (size_t i = 0; i < workers; i++)
        count += atomic_load(&heartbeats[i].beaten_at_ms) - clock_monotonic_ms() > duration_ms;
    return count;
}

static void one_of_those_who_rest_looks(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    WAIT_UNTIL(asleep_for(stand, DUE_WATCH_IDLE_INTERVAL_MS) >=
               POOL_WORKERS - 2); /* all but it and its deputy */
    accept_quietly(stand, "B-1", "seek-token-x");
    (void)must_deliver(stand, "B-1");
}

static void a_retry_waits_for_its_backoff_only(void **state)
{
    struct worker_pool_stand *stand = *state;
    enum { FAILURES = 8 }; /* with pauses of at most 1 + 2 + 4 + … + 128 ms */
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.status = 503}, FAILURES);
    start_pool_with(stand, &(struct pool_variation){.retry_base_ms = 1});
    int64_t start_ms = clock_monotonic_ms();
    accept_one(stand, "A-1", "seek-token-1");
    assert_int_equal(must_deliver(stand, "A-1")->attempts, FAILURES + 1);
    assert_in_range(clock_monotonic_ms() - start_ms, 0, 7500); /* not a second each */
}

/* By a process that has gone: only the store knows when it is due. */
static int64_t postpone(struct worker_pool_stand *stand, const char *id, const char *seek_token,
                        int64_t delay_ms)
{
    const struct verdict verdict = {.class = VERDICT_TRANSIENT, .code = "HTTP_503"};
    accept_quietly(stand, id, seek_token);
    struct claim claim = must_claim_one(driver_of(stand));
    int64_t now_ms = clock_monotonic_ms(); /* Redis counts from a moment behind this one */
    assert_int_equal(
        must_settle(driver_of(stand), id, claim.generation, SETTLE_RETRY, delay_ms, &verdict),
        SETTLED);
    return now_ms + delay_ms;
}

static void sends_when_it_is_due(void **state)
{
    struct worker_pool_stand *stand = *state;
    enum { COUNT = 10, TOLERANCE_MS = 500 };
    char seek_tokens[COUNT][32];
    int64_t due_ms[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        (void)snprintf(seek_tokens[i], sizeof seek_tokens[i], "seek-token-%u", i);
        due_ms[i] = postpone(stand, id, seek_tokens[i], 1500 + 300 * i);
    }
    start_pool(stand);
    must_deliver_many(stand, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        const struct seen_signal *signal = fake_seek_signal(seek_of(stand), i);
        assert_string_equal(signal->seek_token, seek_tokens[i]);
        int64_t late_ms = signal->at_ms - due_ms[i];
        assert_true(late_ms >= -10);
        assert_true(late_ms < TOLERANCE_MS);
    }
}

static unsigned claims_so_far(struct worker_pool_stand *stand)
{
    const char *text =
        redis_server_cli(redis_of(stand), "INFO commandstats | grep cmdstat_evalsha:");
    unsigned calls = 0;
    (void)sscanf(text, "cmdstat_evalsha:calls=%u", &calls);
    return calls;
}

static void rests_when_nothing_is_due(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    accept_many(stand, 1);
    must_deliver_many(stand, 1);
    (void)usleep(200000);
    int64_t start_ms = clock_monotonic_ms();
    unsigned before = claims_so_far(stand);
    (void)usleep(3000000);
    unsigned claims = claims_so_far(stand) - before;
    assert_in_range(claims, 2, (clock_monotonic_ms() - start_ms) / DUE_WATCH_INTERVAL_MS + 1);
}

static void the_breaker_spares_seek_and_attempts(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.status = 503},
                          POOL_IN_FLIGHT_MAX + 2);
    start_pool_with(stand, &(struct pool_variation){.breaker_failures = 3});
    accept_many(stand, 40);
    must_deliver_many(stand, 40);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 40 + POOL_IN_FLIGHT_MAX + 2);
    assert_in_range(count_in_log(stand, "breaker_opened"), 1, 2);
    assert_int_equal(count_in_log(stand, "breaker_closed"), count_in_log(stand, "breaker_opened"));
}

static void everybody_respects_retry_after(void **state)
{
    struct worker_pool_stand *stand = *state;
    fake_seek_will_answer(seek_of(stand),
                          (struct fake_answer){.status = 429, .headers = "Retry-After: 1\r\n"}, 1);
    start_pool(stand);
    accept_many(stand, 1);
    WAIT_UNTIL(status_of(stand).retried == 1);
    accept_many(stand, 5);
    must_deliver_many(stand, 5);
    for (unsigned i = 1; i < fake_seek_signals(seek_of(stand)); i++)
        assert_in_range(fake_seek_signal(seek_of(stand), i)->at_ms -
                            fake_seek_signal(seek_of(stand), 0)->at_ms,
                        990, POOL_PATIENCE_MS);
}

static void keeps_the_rate(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool_with(stand, &(struct pool_variation){.per_second = 20});
    int64_t start_ms = clock_monotonic_ms();
    accept_many(stand, 25);
    must_deliver_many(stand, 25);
    assert_in_range(fake_seek_signal(seek_of(stand), 24)->at_ms - start_ms, 1150, POOL_PATIENCE_MS);
}

static void sends_nothing_while_paused(void **state)
{
    struct worker_pool_stand *stand = *state;
    start_pool(stand);
    (void)redis_server_cli(redis_of(stand), "SET seek-signal:{0}:paused 1700000000000");
    accept_many(stand, 3);
    WAIT_UNTIL(count_in_log(stand, "sending_paused") == 1);
    enum { EVENTS = 30 };
    unsigned before = claims_so_far(stand) + EVENTS; /* accepting them is a call each, too */
    for (unsigned i = 0; i < EVENTS; i++) {
        (void)usleep(10000);
        accept_one(stand, "A-1", "seek-token-1");
    }
    assert_int_equal(fake_seek_signals(seek_of(stand)), 0);
    assert_in_range(claims_so_far(stand) - before, 0, 5); /* not one per event */
    (void)redis_server_cli(redis_of(stand), "DEL seek-signal:{0}:paused");
    worker_pool_note_due(pool_of(stand), true);
    must_deliver_many(stand, 3);
    assert_int_equal(count_in_log(stand, "sending_resumed"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("does not let the last event wait for the next", the_last_does_not_wait_for_the_next),
        SCENE("shares what one worker may not have in flight", a_backlog_is_for_all_workers),
        SCENE("lets one of those who rest look", one_of_those_who_rest_looks),
        SCENE("waits for the backoff and no longer", a_retry_waits_for_its_backoff_only),
        SCENE("sends what is due when it is due", sends_when_it_is_due),
        SCENE("asks Redis once per second when nothing is due, whatever the number of workers",
              rests_when_nothing_is_due),
        SCENE("spends no attempt while the breaker is open", the_breaker_spares_seek_and_attempts),
        SCENE("holds everybody back for Retry-After", everybody_respects_retry_after),
        SCENE("keeps the rate", keeps_the_rate),
        SCENE("sends nothing while paused", sends_nothing_while_paused),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("worker_pool_pace", tests, worker_pool_stand_begin,
                                       worker_pool_stand_finish);
}
