/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/store/due_table.h"

#include "tests/support/specification.h"

static struct due_table table;
static bool all_able[SHARD_COUNT_MAX];

static void begin(unsigned count)
{
    memset(all_able, 1, sizeof all_able);
    due_table_init(&table, count);
}

static void asks_all_of_them_at_first(void **state)
{
    (void)state;
    unsigned out[64];
    begin(5);
    assert_int_equal(due_table_take(&table, all_able, 0, 3, out), 3);
    assert_int_equal(due_table_take(&table, all_able, 0, 64, out), 2);
    assert_int_equal(due_table_take(&table, all_able, INT64_MAX - 1, 64, out), 0);
    assert_int_equal(due_table_next_ms(&table, all_able), INT64_MAX);
}

static void takes_the_oldest_first(void **state)
{
    (void)state;
    unsigned out[8];
    begin(4);
    (void)due_table_take(&table, all_able, 0, 4, out);
    due_table_lower(&table, 2, 500);
    due_table_lower(&table, 1, 700);
    due_table_lower(&table, 1, 300);
    due_table_lower(&table, 1, 900); /* never later */
    due_table_lower(&table, 3, 1200);
    assert_int_equal(due_table_next_ms(&table, all_able), 300);
    assert_int_equal(due_table_take(&table, all_able, 1000, 8, out), 2);
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], 2);
    assert_int_equal(due_table_next_ms(&table, all_able), 1200);
}

static void knows_where_something_is_due(void **state)
{
    (void)state;
    unsigned out[8];
    begin(2);
    assert_true(due_table_is_due(&table, 1, 0)); /* nobody has asked yet */
    (void)due_table_take(&table, all_able, 0, 2, out);
    due_table_lower(&table, 1, 500);
    assert_false(due_table_is_due(&table, 1, 499));
    assert_true(due_table_is_due(&table, 1, 500));
    assert_false(due_table_is_due(&table, 0, 500));
}

static void leaves_what_cannot_be_asked(void **state)
{
    (void)state;
    unsigned out[8];
    bool is_able[SHARD_COUNT_MAX] = {true, false, true};
    begin(3);
    (void)due_table_take(&table, all_able, 0, 3, out);
    due_table_lower_all(&table, 100);
    due_table_lower(&table, 1, 50);
    assert_int_equal(due_table_next_ms(&table, is_able), 100);
    assert_int_equal(due_table_take(&table, is_able, 100, 8, out), 2);
    assert_int_equal(due_table_take(&table, all_able, 100, 8, out), 1);
    assert_int_equal(out[0], 1);
}

static void looks_at_all_of_them_by_turns(void **state)
{
    (void)state;
    bool is_seen[20] = {false};
    unsigned out[DUE_TABLE_LOOKS_MAX];
    begin(20);
    int64_t now_ms = 1000;
    for (unsigned i = 0; i < 3; i++) {
        size_t count = due_table_take_looks(&table, all_able, now_ms, out);
        assert_int_equal(count, DUE_TABLE_LOOKS_MAX);
        for (size_t j = 0; j < count; j++)
            is_seen[out[j]] = true;
        assert_int_equal(due_table_take_looks(&table, all_able, now_ms, out), 0);
        now_ms += DUE_TABLE_LOOK_INTERVAL_MS;
    }
    for (unsigned i = 0; i < 20; i++)
        assert_true(is_seen[i]);
}

static void sums_what_waits(void **state)
{
    (void)state;
    begin(3);
    due_table_note_waiting(&table, 0, 5);
    due_table_note_waiting(&table, 2, 7);
    due_table_note_waiting(&table, 0, 1);
    assert_int_equal(due_table_waiting(&table), 8);
}

/* A look tells whether anything waits, not how much. */
static void learns_from_a_look_whether_anything_waits(void **state)
{
    (void)state;
    begin(3);
    due_table_note_look(&table, 1, true);
    assert_true(due_table_has_waiting(&table, 1) && !due_table_has_waiting(&table, 0));
    assert_int_equal(due_table_waiting(&table), 1);
    due_table_note_waiting(&table, 1, 7);
    due_table_note_look(&table, 1, true);
    assert_int_equal(due_table_waiting(&table), 7);
    due_table_note_look(&table, 1, false);
    assert_int_equal(due_table_waiting(&table), 0);
    assert_false(due_table_has_waiting(&table, 1));
}

static void is_paused_as_long_as_any_shard_is(void **state)
{
    (void)state;
    begin(3);
    assert_false(due_table_is_paused(&table, all_able));
    assert_false(due_table_note_paused(&table, 1, true));
    assert_false(due_table_note_paused(&table, 0, false)); /* it was not */
    assert_true(due_table_is_paused(&table, all_able));
    assert_true(due_table_has_waiting(&table, 1)); /* it is asked again */
    assert_false(due_table_note_paused(&table, 2, true));
    assert_true(due_table_note_paused(&table, 1, false));
    assert_true(due_table_is_paused(&table, all_able));
    all_able[2] = false; /* it is away, and sending may have been resumed meanwhile */
    assert_false(due_table_is_paused(&table, all_able));
    all_able[2] = true;
    assert_true(due_table_note_paused(&table, 2, false));
    assert_false(due_table_is_paused(&table, all_able));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("asks all shards at first, and none twice", asks_all_of_them_at_first),
        IT("takes the oldest first, and only what is due", takes_the_oldest_first),
        IT("knows where something is due", knows_where_something_is_due),
        IT("leaves alone what cannot be asked now", leaves_what_cannot_be_asked),
        IT("looks at all shards by turns, some in each interval", looks_at_all_of_them_by_turns),
        IT("sums what waits in all shards", sums_what_waits),
        IT("learns from a look whether anything waits", learns_from_a_look_whether_anything_waits),
        IT("is paused as long as any shard is", is_paused_as_long_as_any_shard_is),
    };
    return cmocka_run_group_tests_name("due_table", tests, NULL, NULL);
}
