/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The straight way, from the workers' side: places for what the intake is about to commit, and what
 * it has leased. The test plays the intake.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/thread.h"

#include "service/store/due_table.h"
#include "service/store/store_internal.h"

#include "tests/support/specification.h"
#include "tests/support/worker_pool_stand.h"

enum { LEASE_MS = 20000, TIMEOUT_MS = 5000 };

/* One signal the usual way, so that there is an access token, and nothing is known to be due. */
static void warm_up_with(struct worker_pool_stand *stand, const struct pool_variation *variation)
{
    driver_of(stand)->store->options.lease_ms = LEASE_MS; /* the pool's */
    start_pool_with(stand, variation);
    accept_one(stand, "first", "seek-token-first");
    (void)must_deliver(stand, "first");
}

static void warm_up(struct worker_pool_stand *stand)
{
    warm_up_with(stand, &(struct pool_variation){0});
}

/* Commits one event on `places`, and gives what was leased. */
static struct claim commit(struct worker_pool_stand *stand, const char *id, size_t places)
{
    struct driver *driver = driver_of(stand);
    const struct accept_item item = {
        .application_id = id, .seek_token = "token", .event_id = EVENT_ID, .completed_at_ms = -1};
    struct error error;
    assert_true(store_accept(driver->store, &item, 1, places, driver_accept_done, driver, &error));
    driver_settle_down(driver);
    assert_int_equal(driver->failure.status, STORE_OK);
    return (struct claim){.application_id = id,
                          .seek_token = "token",
                          .event_id = EVENT_ID,
                          .traceparent = "",
                          .generation = driver->accepted[0].lease,
                          .attempt = 1,
                          .completed_at_ms = driver->accepted[0].accepted_at_ms};
}

static void hand_over(struct worker_pool_stand *stand, size_t places, const struct claim *claims,
                      size_t count)
{
    worker_pool_hand_over(pool_of(stand), places,
                          &(struct leased_signals){claims, count, clock_monotonic_ms(), true});
}

static size_t places_in(struct worker_pool_stand *stand, size_t wanted, unsigned shard)
{
    size_t places = worker_pool_reserve(pool_of(stand), wanted, shard);
    hand_over(stand, places, NULL, 0);
    return places;
}

static size_t places_for(struct worker_pool_stand *stand, size_t wanted)
{
    return places_in(stand, wanted, 0);
}

static void sends_what_is_handed_over(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    for (unsigned i = 0; i < 5; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        WAIT_UNTIL(worker_pool_reserve(pool_of(stand), 1, 0) == 1);
        const struct claim claim = commit(stand, id, 1);
        assert_true(claim.generation > 0);
        hand_over(stand, 1, &claim, 1);
        const struct application *application = must_deliver(stand, id);
        assert_int_equal(application->attempts, 1);
        assert_true(application->generation == claim.generation); /* and no claim since */
    }
    assert_int_equal(fake_seek_signals(seek_of(stand)), 6);
}

static void gives_no_more_places_than_the_gate_has(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(places_for(stand, 100) == POOL_IN_FLIGHT_MAX);
    assert_int_equal(places_for(stand, 0), 0);
    WAIT_UNTIL(places_for(stand, 100) == POOL_IN_FLIGHT_MAX); /* they came back */
}

/* What waits comes first: whoever claims it would else find the places taken again and again. */
static void gives_none_while_something_is_due(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(places_for(stand, 1) == 1);
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 1000},
                          POOL_IN_FLIGHT_MAX + 1);
    accept_many(stand, POOL_IN_FLIGHT_MAX + 1);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 1 + POOL_IN_FLIGHT_MAX);
    worker_pool_note_due(pool_of(stand), false);
    WAIT_UNTIL(fake_seek_signals(seek_of(stand)) == 2 + POOL_IN_FLIGHT_MAX);
    must_deliver_many(stand, POOL_IN_FLIGHT_MAX + 1);
    WAIT_UNTIL(places_for(stand, 1) == 1);
    redis_server_freeze(redis_of(stand)); /* so that nobody can ask */
    worker_pool_note_due(pool_of(stand), false);
    (void)usleep(50000); /* the claim is on its way, and the next is wanted at once */
    worker_pool_note_due(pool_of(stand), false);
    assert_int_equal(places_for(stand, 1), 0);
    redis_server_thaw(redis_of(stand));
    WAIT_UNTIL(places_for(stand, 1) == 1);
}

/* So that nobody can ask but the one whose claim is on its way then. If Redis had been asked for
 * something before, that answer would be waited for first: then once more. */
static void freeze_behind_a_claim(struct worker_pool_stand *stand, struct due_table *due)
{
    enum { TRIES = 50, HALF_A_SECOND = 250 };
    for (unsigned i = 0; i < TRIES; i++) {
        redis_server_freeze(redis_of(stand));
        due_table_lower(due, 0, clock_monotonic_ms());
        worker_pool_note_due(pool_of(stand), false);
        for (unsigned n = 0; n < HALF_A_SECOND; n++) {
            if (!due_table_is_due(due, 0, clock_monotonic_ms()))
                return;
            (void)usleep(2000);
        }
        redis_server_thaw(redis_of(stand));
        WAIT_UNTIL(!due_table_is_due(due, 0, clock_monotonic_ms()));
    }
    fail_msg("Redis was asked for something each time");
}

/* Others have to wait for what is due in their own shard, not for that. */
static void gives_some_beside_a_shard_where_something_is_due(void **state)
{
    enum { SHARDS = 16, BUSY = 3 };
    struct worker_pool_stand *stand = *state;
    struct due_table due;
    due_table_init(&due, SHARDS);
    start_pool_with(stand, &(struct pool_variation){.due = &due});
    for (unsigned shard = 0; shard < SHARDS; shard++)
        WAIT_UNTIL(places_in(stand, 1, shard) == 1);
    freeze_behind_a_claim(stand, &due);
    due_table_lower(&due, BUSY, clock_monotonic_ms());
    worker_pool_note_due(pool_of(stand), false);
    assert_int_equal(places_in(stand, 1, BUSY), 0);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        assert_int_equal(places_in(stand, 1, shard), shard != BUSY);
    redis_server_thaw(redis_of(stand));
    WAIT_UNTIL(places_in(stand, 1, BUSY) == 1);
    (void)stop_pool(stand, POOL_PATIENCE_MS); /* before the table ends */
}

static void gives_none_without_an_access_token(void **state)
{
    struct worker_pool_stand *stand = *state;
    enum { OUTAGE = 20 }; /* 100 ms each */
    for (int i = 0; i < OUTAGE; i++)
        fake_seek_will_answer_fetch(seek_of(stand), (struct fake_answer){.status = 503});
    start_pool(stand);
    WAIT_UNTIL(fake_seek_fetches(seek_of(stand)) >= 3);
    assert_int_equal(places_for(stand, 1), 0);
    WAIT_UNTIL(places_for(stand, 1) == 1);
    assert_int_equal(fake_seek_fetches(seek_of(stand)), OUTAGE + 1);
}

static void gives_none_while_sending_is_paused(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(places_for(stand, 1) == 1);
    struct error error;
    assert_true(
        store_set_paused(driver_of(stand)->store, true, driver_done, driver_of(stand), &error));
    driver_settle_down(driver_of(stand));
    WAIT_UNTIL(count_in_log(stand, "sending_paused") == 1);
    assert_int_equal(places_for(stand, 1), 0);
}

/* As after a long silence: somebody else's claim may be under way when it would begin. */
static void releases_what_would_outlast_its_lease(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(worker_pool_reserve(pool_of(stand), 1, 0) == 1);
    const struct claim claim = commit(stand, "late", 1);
    worker_pool_hand_over(pool_of(stand), 1,
                          &(struct leased_signals){
                              &claim, 1, clock_monotonic_ms() - (LEASE_MS - TIMEOUT_MS) - 1, true});
    const struct application *application = must_deliver(stand, "late");
    assert_int_equal(application->attempts, 1); /* it was none */
    assert_true(application->generation > claim.generation);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 2);
    WAIT_UNTIL(places_for(stand, 100) == POOL_IN_FLIGHT_MAX);
}

/* WAIT has not brought the replicas that are demanded, say: nobody was told that it is taken. */
static void releases_what_was_not_committed(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(worker_pool_reserve(pool_of(stand), 1, 0) == 1);
    const struct claim claim = commit(stand, "unsure", 1);
    worker_pool_hand_over(pool_of(stand), 1,
                          &(struct leased_signals){&claim, 1, clock_monotonic_ms(), false});
    const struct application *application = must_deliver(stand, "unsure");
    assert_int_equal(application->attempts, 1);
    assert_true(application->generation > claim.generation); /* by a claim */
    WAIT_UNTIL(places_for(stand, 100) == POOL_IN_FLIGHT_MAX);
}

static void sets_aside_what_cannot_be_sent(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(worker_pool_reserve(pool_of(stand), 1, 0) == 1);
    struct claim claim = commit(stand, "damaged", 1);
    claim.seek_token = "with a space";
    hand_over(stand, 1, &claim, 1);
    (void)must_become(stand, "damaged", DELIVERY_DEAD);
    WAIT_UNTIL(places_for(stand, 100) == POOL_IN_FLIGHT_MAX);
}

struct late_commit {
    struct worker_pool_stand *stand;
    struct claim claim;
};

static void hand_over_late(void *context)
{
    struct late_commit *late = context;
    (void)usleep(300000);
    hand_over(late->stand, 1, &late->claim, 1);
}

/* The commit was on its way when the stop began. */
static void a_stop_waits_for_what_is_reserved(void **state)
{
    struct worker_pool_stand *stand = *state;
    warm_up(stand);
    WAIT_UNTIL(worker_pool_reserve(pool_of(stand), 1, 0) == 1);
    struct late_commit late = {stand, commit(stand, "last", 1)};
    struct thread thread = {0};
    struct error error;
    assert_true(thread_start(&thread, "late-commit", hand_over_late, &late, &error));
    const struct worker_pool_end end = stop_pool(stand, POOL_PATIENCE_MS);
    thread_join(&thread);
    assert_int_equal(end.unrecorded, 0);
    assert_int_equal(must_get(driver_of(stand), "last")->state, DELIVERY_DELIVERED);
    assert_int_equal(worker_pool_reserve(pool_of(stand), 1, 0), 0);
}

/* More than one worker may have in flight, and all of it to the one that owns the watch. */
static void shares_what_is_too_much_for_one(void **state)
{
    enum { IN_FLIGHT = 130, COUNT = 100 };
    struct worker_pool_stand *stand = *state;
    warm_up_with(stand, &(struct pool_variation){.workers = 2, .in_flight_max = IN_FLIGHT});
    fake_seek_will_answer(seek_of(stand), (struct fake_answer){.body = DELIVERED, .delay_ms = 100},
                          COUNT);
    static char ids[COUNT][16];
    static struct claim claims[COUNT];
    WAIT_UNTIL(worker_pool_reserve(pool_of(stand), COUNT, 0) == COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "A-%u", i);
        claims[i] = commit(stand, ids[i], 1);
        assert_true(claims[i].generation > 0);
    }
    hand_over(stand, COUNT, claims, COUNT);
    must_deliver_many(stand, COUNT);
    assert_int_equal(fake_seek_signals(seek_of(stand)), 1 + COUNT);
    WAIT_UNTIL(places_for(stand, 200) == IN_FLIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("sends what is handed over, without a claim", sends_what_is_handed_over),
        SCENE("gives no more places than the gate has, and takes them back",
              gives_no_more_places_than_the_gate_has),
        SCENE("gives none while something is known to be due", gives_none_while_something_is_due),
        SCENE("gives some beside a shard where something is due",
              gives_some_beside_a_shard_where_something_is_due),
        SCENE("gives none while there is no access token", gives_none_without_an_access_token),
        SCENE("gives none while sending is paused", gives_none_while_sending_is_paused),
        SCENE("releases what would outlast its lease", releases_what_would_outlast_its_lease),
        SCENE("releases what was leased by a commit that fell short",
              releases_what_was_not_committed),
        SCENE("sets aside what cannot be sent, and keeps no place for it",
              sets_aside_what_cannot_be_sent),
        SCENE("does not end while a commit that may lease is on its way",
              a_stop_waits_for_what_is_reserved),
        SCENE("sends what is too much for one worker", shares_what_is_too_much_for_one),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("worker_pool_handover", tests, worker_pool_stand_begin,
                                       worker_pool_stand_finish);
}
