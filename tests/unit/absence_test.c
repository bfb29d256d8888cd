/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The store is replaced at link time. */
#include "service/outbound/absence.h"
#include "service/store/store.h"

#include "tests/support/specification.h"

enum { START_MS = 1000000, SHARDS = 3 };

static bool is_there[SHARDS];
static struct absence absence;

unsigned __wrap_store_shard_count(const struct store *store);
unsigned __wrap_store_shard_count(const struct store *store)
{
    (void)store;
    return SHARDS;
}

bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out);
bool __wrap_store_takes_events_for(const struct store *store, unsigned shard,
                                   struct durability *out)
{
    (void)store;
    (void)out;
    assert_in_range(shard, 0, SHARDS - 1);
    return is_there[shard];
}

static void set_all(bool value)
{
    for (unsigned i = 0; i < SHARDS; i++)
        is_there[i] = value;
}

static void turn(int64_t after_ms)
{
    absence_turn(&absence, NULL, START_MS + after_ms);
}

static int begin(void **state)
{
    (void)state;
    absence = (struct absence){.turned_at_ms = 0};
    set_all(true);
    return 0;
}

/* Of this shard, from `from_ms` on. */
static void must_be_yielded_for(unsigned shard, int64_t from_ms, int64_t for_ms)
{
    turn(from_ms + for_ms - 1);
    assert_true(absence_is_yielded(&absence, shard));
    turn(from_ms + for_ms);
    assert_false(absence_is_yielded(&absence, shard));
}

/* Until `after_ms`, for so long. */
static void be_away(unsigned shard, int64_t for_ms, int64_t until_ms)
{
    is_there[shard] = false;
    turn(until_ms - for_ms);
    is_there[shard] = true;
    turn(until_ms);
}

static void yields_a_shard_that_is_back(void **state)
{
    (void)state;
    turn(0);
    is_there[1] = false;
    turn(10);
    turn(9000);
    assert_false(absence_is_yielded(&absence, 1));
    is_there[1] = true;
    turn(9001);
    must_be_yielded_for(1, 9001, ABSENCE_RECORDING_MS);
    turn(100000);
    be_away(1, ABSENCE_MIN_MS, 102000);
    must_be_yielded_for(1, 102000, ABSENCE_RECORDING_MS);
}

static void yields_each_by_itself(void **state)
{
    (void)state;
    set_all(false);
    turn(0);
    is_there[2] = true;
    turn(5000);
    is_there[0] = true;
    turn(6000);
    assert_true(absence_is_yielded(&absence, 2));
    must_be_yielded_for(2, 5000, ABSENCE_RECORDING_MS);
    assert_true(absence_is_yielded(&absence, 0));
    must_be_yielded_for(0, 6000, ABSENCE_RECORDING_MS);
}

static void passes_over_a_short_absence(void **state)
{
    (void)state;
    be_away(1, ABSENCE_MIN_MS - 1, 2000);
    assert_false(absence_is_yielded(&absence, 1));
    be_away(1, ABSENCE_MIN_MS - 1, 4000); /* counted anew */
    assert_false(absence_is_yielded(&absence, 1));
}

/* Else nothing would be claimed from it any more. */
static void counts_the_time_in_which_a_shard_is_there(void **state)
{
    (void)state;
    enum { THERE_MS = 1500, AWAY_MS = 30000 };
    int64_t now_ms = AWAY_MS, yielded_ms = 0;
    be_away(1, AWAY_MS, now_ms);
    while (absence_is_yielded(&absence, 1) && now_ms < 1000000) {
        now_ms += 100;
        yielded_ms += 100;
        turn(now_ms);
        if (yielded_ms % THERE_MS == 0)
            be_away(1, AWAY_MS, now_ms += AWAY_MS);
    }
    assert_int_equal(yielded_ms, ABSENCE_RECORDING_MS);
    be_away(1, AWAY_MS, now_ms += AWAY_MS); /* there was no time for claims yet */
    assert_false(absence_is_yielded(&absence, 1));
    turn(now_ms += ABSENCE_CLAIMING_MS);
    be_away(1, AWAY_MS, now_ms += AWAY_MS);
    assert_true(absence_is_yielded(&absence, 1));
}

/* Others may have outcomes from before; one that finds Redis at once need not wait. */
static void counts_from_the_start_of_a_worker(void **state)
{
    (void)state;
    set_all(false);
    turn(0);
    set_all(true);
    turn(20);
    assert_int_equal(absence_timeout_ms(&absence, SHARDS), -1);
    absence = (struct absence){.turned_at_ms = 0};
    set_all(false);
    turn(0);
    set_all(true);
    turn(3000);
    assert_int_equal(absence_timeout_ms(&absence, SHARDS), ABSENCE_RECORDING_MS);
}

static void says_when_there_is_something_to_claim(void **state)
{
    (void)state;
    be_away(1, 2000, 2000);
    assert_int_equal(absence_timeout_ms(&absence, SHARDS), ABSENCE_RECORDING_MS);
    assert_int_equal(absence_wait_ms(&absence, SHARDS), 0); /* from the others */
    is_there[0] = is_there[2] = false;
    turn(3000);
    assert_int_equal(absence_wait_ms(&absence, SHARDS), ABSENCE_RECORDING_MS - 1000);
    is_there[1] = false;
    turn(3500);
    assert_int_equal(absence_wait_ms(&absence, SHARDS), 0); /* the store says when one is back */
    assert_int_equal(absence_timeout_ms(&absence, SHARDS), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("yields a shard that is back", yields_a_shard_that_is_back, begin, NULL),
        IT_WITH("yields each by itself", yields_each_by_itself, begin, NULL),
        IT_WITH("passes over a short absence", passes_over_a_short_absence, begin, NULL),
        IT_WITH("counts the time in which a shard is there",
                counts_the_time_in_which_a_shard_is_there, begin, NULL),
        IT_WITH("counts from the start of a worker", counts_from_the_start_of_a_worker, begin,
                NULL),
        IT_WITH("says when there is something to claim", says_when_there_is_something_to_claim,
                begin, NULL),
    };
    return cmocka_run_group_tests_name("absence", tests, NULL, NULL);
}
