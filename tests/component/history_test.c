/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The counts of the last day against a real redis-server. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"

#define KEY "'seek-signal:{0}:history'"

enum { LAST = HISTORY_BUCKETS - 1 };

static struct {
    unsigned answers;
    struct store_failure failure;
    struct store_history history;
} seen;

static void take(void *context, const struct store_failure *failure,
                 const struct store_history *history)
{
    (void)context;
    seen.answers++;
    seen.failure = *failure;
    if (history != NULL)
        seen.history = *history;
}

static void read_history(void)
{
    struct error error;
    seen.answers = 0;
    assert_true(store_history_read(driver.store, take, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(seen.answers, 1);
}

static const struct history_counts *must_read(void)
{
    read_history();
    assert_int_equal(seen.failure.status, STORE_OK);
    return seen.history.buckets;
}

static enum store_status add(int64_t accepted, int64_t delivered, int64_t retried, int64_t dead)
{
    struct error error;
    struct history_counts counts = {accepted, delivered, retried, dead};
    driver.answers = 0;
    assert_true(store_history_add(driver.store, &counts, driver_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 1);
    return driver.failure.status;
}

static void must_be(const struct history_counts *counts, int64_t accepted, int64_t delivered,
                    int64_t retried, int64_t dead)
{
    assert_int_equal(counts->accepted, accepted);
    assert_int_equal(counts->delivered, delivered);
    assert_int_equal(counts->retried, retried);
    assert_int_equal(counts->dead, dead);
}

static int64_t present(void)
{
    return clock_wall_ms() / HISTORY_BUCKET_MS;
}

/* A new bucket may have begun between two calls. */
static void wait_out_the_end_of_a_bucket(void)
{
    while (clock_wall_ms() % HISTORY_BUCKET_MS > HISTORY_BUCKET_MS - 3000)
        (void)usleep(100000);
}

static void begins_empty(void **state)
{
    (void)state;
    const struct history_counts *buckets = must_read();
    for (size_t i = 0; i < HISTORY_BUCKETS; i++)
        must_be(&buckets[i], 0, 0, 0, 0);
    assert_int_equal(seen.history.begins_at_ms % HISTORY_BUCKET_MS, 0);
    assert_string_equal(redis_server_cli(server, "EXISTS " KEY), "0");
}

static void adds_up_what_several_bring(void **state)
{
    (void)state;
    wait_out_the_end_of_a_bucket();
    assert_int_equal(add(3, 2, 1, 0), STORE_OK);
    assert_int_equal(add(1, 1, 0, 5), STORE_OK);
    must_be(&must_read()[LAST], 4, 3, 1, 5);
    must_be(&must_read()[LAST - 1], 0, 0, 0, 0);
    assert_in_range(clock_wall_ms() - seen.history.begins_at_ms, (int64_t)LAST * HISTORY_BUCKET_MS,
                    (int64_t)HISTORY_BUCKETS * HISTORY_BUCKET_MS);
}

static void counts_beyond_32_bits(void **state)
{
    (void)state;
    wait_out_the_end_of_a_bucket();
    assert_int_equal(add(5000000000, 1, 0, 0), STORE_OK);
    assert_int_equal(add(5000000000, 0, 0, 0), STORE_OK);
    must_be(&must_read()[LAST], 10000000000, 1, 0, 0);
}

static void keeps_a_day_and_no_more(void **state)
{
    (void)state;
    wait_out_the_end_of_a_bucket();
    int64_t now = present();
    for (int64_t bucket = now - 2 * HISTORY_BUCKETS; bucket < now; bucket++)
        (void)redis_server_cli(server, "HSET " KEY " %" PRId64 " '%" PRId64 " 1 2 3 4'",
                               bucket % HISTORY_BUCKETS, bucket);
    assert_int_equal(add(7, 0, 0, 0), STORE_OK);
    const struct history_counts *buckets = must_read();
    must_be(&buckets[0], 1, 2, 3, 4);
    must_be(&buckets[LAST - 1], 1, 2, 3, 4);
    must_be(&buckets[LAST], 7, 0, 0, 0);
    char expected[16];
    (void)snprintf(expected, sizeof expected, "%d", HISTORY_BUCKETS);
    assert_string_equal(redis_server_cli(server, "HLEN " KEY), expected);
    assert_in_range(strtol(redis_server_cli(server, "PTTL " KEY), NULL, 10), 86000000, 86400000);
}

static void passes_over_an_older_day_and_the_future(void **state)
{
    (void)state;
    wait_out_the_end_of_a_bucket();
    int64_t old = present() - HISTORY_BUCKETS - 3, ahead = present() + 2;
    (void)redis_server_cli(
        server, "HSET " KEY " %" PRId64 " '%" PRId64 " 1 2 3 4' %" PRId64 " '%" PRId64 " 1 2 3 4'",
        old % HISTORY_BUCKETS, old, ahead % HISTORY_BUCKETS, ahead);
    const struct history_counts *buckets = must_read();
    for (size_t i = 0; i < HISTORY_BUCKETS; i++)
        must_be(&buckets[i], 0, 0, 0, 0);
}

static void passes_over_what_another_program_wrote(void **state)
{
    (void)state;
    wait_out_the_end_of_a_bucket();
    (void)redis_server_cli(server, "HSET " KEY " %" PRId64 " rubbish other '%" PRId64 " 9 9 9 9'",
                           present() % HISTORY_BUCKETS, present());
    must_be(&must_read()[LAST], 0, 0, 0, 0);
    assert_int_equal(add(1, 0, 0, 0), STORE_OK);
    must_be(&must_read()[LAST], 1, 0, 0, 0);
}

static void names_a_key_of_another_type(void **state)
{
    (void)state;
    (void)redis_server_cli(server, "SET " KEY " x");
    read_history();
    assert_int_equal(seen.failure.status, STORE_REFUSED);
    assert_non_null(strstr(seen.failure.detail, "seek-signal:{0}:history is not a hash"));
    assert_int_equal(add(1, 0, 0, 0), STORE_REFUSED);
    assert_int_equal(must_accept_one(&driver, "A", "token", "event"), ACCEPT_ACCEPTED);
}

int main(void)
{
#define HERE(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        HERE("is empty at first", begins_empty),
        HERE("adds up what several processes bring", adds_up_what_several_bring),
        HERE("counts beyond 32 bits", counts_beyond_32_bits),
        HERE("keeps a day and no more", keeps_a_day_and_no_more),
        HERE("passes over an older day and the future", passes_over_an_older_day_and_the_future),
        HERE("passes over what another program wrote", passes_over_what_another_program_wrote),
        HERE("names a key of another type, and lets events pass", names_a_key_of_another_type),
    };
    return cmocka_run_group_tests_name("history", tests, store_stand_begin, store_stand_finish);
}
