/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The spool when its files cannot be read: for a while, or for good. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/captured_log.h"
#include "tests/support/failing_open.h"
#include "tests/support/specification.h"
#include "tests/support/spool_stand.h"

static const char first_name[] = "journal-0000000000000000.log";
static struct captured_log *captured;

static int make(void **state)
{
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    atomic_store(&failing_open_count, 0);
    captured = captured_log_start();
    return spool_stand_make(state);
}

static int clear(void **state)
{
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    int result = spool_stand_clear(state);
    captured_log_stop(captured);
    captured_log_destroy(captured);
    return result;
}

static bool is_unreadable(void)
{
    return counted("seek_signal_spool_unreadable", NULL) == 1;
}

static int64_t damages(void)
{
    return counted("seek_signal_spool_damaged_total", NULL);
}

/* --- for a while --- */

static void waits_until_it_can_be_read_again(void **state)
{
    (void)state;
    redis_server_kill(server);
    begin();
    must_write("A", "older");
    must_write("A", "newer");
    atomic_store(&failing_open_code, EMFILE);
    redis_server_restart(server);
    EVENTUALLY(is_unreadable());
    int64_t began_ms = clock_monotonic_ms();
    unsigned before = atomic_load(&failing_open_count);
    for (unsigned i = 0; i < 20; i++) /* each is an occasion to try */
        must_write("B", "token");
    unsigned tries = atomic_load(&failing_open_count) - before;
    assert_in_range(tries, 0, 1 + (clock_monotonic_ms() - began_ms) / 1000);
    EVENTUALLY(atomic_load(&failing_open_count) >= before + tries + 2); /* nobody had to try */
    assert_int_equal(status().records, 22);
    assert_true(spool_is_holding_for(spool, "A"));
    assert_int_equal(spool_stand_files("corrupt-", false), 0);
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "newer");
    must_be("B", "pending", "token");
    assert_int_equal(drained("result=\"applied\""), 3);
    assert_int_equal(drained("result=\"duplicate\""), 19);
    assert_int_equal(damages(), 0);
    assert_false(is_unreadable());
    assert_int_equal(captured_log_count(captured, "\"spool_unreadable\""), 1);
    assert_int_equal(captured_log_count(captured, "\"spool_reads_again\""), 1);
    assert_int_equal(captured_log_count(captured, "\"spool_damaged\""), 0);
}

/* Nobody knows whose events it holds. */
static void waits_for_what_it_cannot_read_at_the_start(void **state)
{
    (void)state;
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    must_write("B", "token");
    end();
    redis_server_restart(server);
    atomic_store(&failing_open_code, EACCES);
    begin();
    assert_true(spool_is_holding_for(spool, "C"));
    EVENTUALLY(is_unreadable());
    must_write("A", "newer");
    assert_int_equal(spool_stand_files("journal-", false), 2);
    assert_int_equal(spool_stand_files("corrupt-", false), 0);
    atomic_store(&failing_open_code, FAILING_OPEN_FINE);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "newer");
    must_be("B", "pending", "token");
    assert_int_equal(drained("result=\"applied\""), 3);
    assert_int_equal(damages(), 0);
    assert_false(spool_is_holding_for(spool, "C"));
    assert_int_equal(status().oldest_age_ms, -1);
}

/* --- for good --- */

static void counts_what_is_damaged_while_it_waits(void **state)
{
    (void)state;
    char bytes[4096];
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    must_write("B", "token");
    must_write("C", "token");
    size_t length = read_file(first_name, bytes, sizeof bytes);
    bytes[length / 2] ^= 1;
    write_file(first_name, bytes, length);
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "token");
    must_be("B", "", "");
    must_be("C", "pending", "token");
    assert_int_equal(damages(), 1);
    assert_int_equal(captured_log_count(captured, "\"spool_damaged\""), 1);
    assert_int_equal(spool_stand_files("corrupt-", false), 1);
}

static void counts_what_is_missing_at_the_end(void **state)
{
    (void)state;
    char bytes[4096];
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    must_write("B", "token");
    size_t length = read_file(first_name, bytes, sizeof bytes);
    write_file(first_name, bytes, length / 2); /* two records of one length */
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    must_be("A", "pending", "token");
    must_be("B", "", "");
    assert_int_equal(damages(), 1);
    assert_int_equal(spool_stand_files("corrupt-", false), 1);
}

static void counts_what_is_gone(void **state)
{
    (void)state;
    redis_server_kill(server);
    begin();
    must_write("A", "token");
    assert_int_equal(spool_stand_files("journal-", true), 1);
    redis_server_restart(server);
    EVENTUALLY(is_drained());
    assert_int_equal(damages(), 1);
    assert_false(is_unreadable());
    assert_int_equal(status().bytes, 0);
    must_write("B", "token");
    EVENTUALLY(is_drained());
    must_be("B", "pending", "token");
}

#define HERE(sentence, function) IT_WITH(sentence, function, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE("waits until it can be read again", waits_until_it_can_be_read_again),
        HERE("waits for what it cannot read at the start",
             waits_for_what_it_cannot_read_at_the_start),
        HERE("counts what is damaged while it waits", counts_what_is_damaged_while_it_waits),
        HERE("counts what is missing at the end", counts_what_is_missing_at_the_end),
        HERE("counts what is gone", counts_what_is_gone),
    };
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return cmocka_run_group_tests_name("spool_reading", tests, spool_stand_start, spool_stand_stop);
}
