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

static bool turn(int64_t after_ms)
{
    return absence_turn(&absence, NULL, START_MS + after_ms);
}

static int begin(void **state)
{
    (void)state;
    absence = (struct absence){{0}};
    set_all(true);
    return 0;
}

static void says_once_that_a_shard_is_back(void **state)
{
    (void)state;
    assert_false(turn(0));
    is_there[1] = false;
    assert_false(turn(10));
    assert_false(turn(9000));
    is_there[1] = true;
    assert_true(turn(9001));
    assert_false(turn(9002));
}

static void says_so_of_each(void **state)
{
    (void)state;
    set_all(false);
    assert_false(turn(0));
    is_there[2] = true;
    assert_true(turn(5000));
    assert_false(turn(5001));
    is_there[0] = true;
    assert_true(turn(6000));
}

static void passes_over_a_short_one(void **state)
{
    (void)state;
    is_there[1] = false;
    assert_false(turn(0));
    is_there[1] = true;
    assert_false(turn(ABSENCE_MIN_MS - 1));
    is_there[1] = false;
    assert_false(turn(2000)); /* counted anew */
    is_there[1] = true;
    assert_true(turn(2000 + ABSENCE_MIN_MS));
}

/* Others may have outcomes from before; one that finds Redis at once need not wait. */
static void counts_from_the_start_of_a_worker(void **state)
{
    (void)state;
    set_all(false);
    assert_false(turn(0));
    set_all(true);
    assert_false(turn(20));
    absence = (struct absence){{0}};
    set_all(false);
    assert_false(turn(0));
    set_all(true);
    assert_true(turn(3000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("says once that a shard is back", says_once_that_a_shard_is_back, begin, NULL),
        IT_WITH("says so of each", says_so_of_each, begin, NULL),
        IT_WITH("passes over a short one", passes_over_a_short_one, begin, NULL),
        IT_WITH("counts from the start of a worker", counts_from_the_start_of_a_worker, begin,
                NULL),
    };
    return cmocka_run_group_tests_name("absence", tests, NULL, NULL);
}
