/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/inbound/census.h"
#include "service/inbound/inbound_metrics.h"
#include "service/store/store.h"

#include "tests/support/specification.h"

/* Redis: notes what is asked, and answers when told to. */
static struct {
    unsigned questions;
    bool is_away;
    store_census_done done;
    void *context;
} redis;

bool __wrap_store_census(struct store *store, unsigned look_max, store_census_done done,
                         void *context, struct error *error);
bool __wrap_store_census(struct store *store, unsigned look_max, store_census_done done,
                         void *context, struct error *error)
{
    (void)store;
    assert_int_equal(look_max, 0); /* causes are for who looks at the status */
    if (redis.is_away)
        return error_set(error, ERROR_IO, "away");
    redis.questions++;
    redis.done = done;
    redis.context = context;
    return true;
}

unsigned __wrap_store_shard_count(const struct store *store);
unsigned __wrap_store_shard_count(const struct store *store)
{
    (void)store;
    return 1;
}

static struct metric metrics[INBOUND_METRIC_COUNT];
static struct census census;

static int set_up(void **state)
{
    (void)state;
    memset(&redis, 0, sizeof redis);
    metrics_init(metrics, inbound_rows, INBOUND_METRIC_COUNT);
    census_init(&census, NULL, metrics);
    return 0;
}

static void answer(enum store_status status)
{
    const struct store_failure failure = {.status = status};
    const struct store_census found = {
        .due = 7, .dead = 2, .oldest_due_age_ms = 1500, .paused_at_ms = 1767323045678};
    redis.done(redis.context, &failure, &found);
}

static void must_be(int64_t due, int64_t dead, int64_t oldest, int64_t paused)
{
    assert_int_equal(metric_value(&metrics[INBOUND_DUE]), due);
    assert_int_equal(metric_value(&metrics[INBOUND_DEAD]), dead);
    assert_int_equal(metric_value(&metrics[INBOUND_OLDEST_DUE_AGE]), oldest);
    assert_int_equal(metric_value(&metrics[INBOUND_PAUSED]), paused);
    assert_int_equal(metric_value(&metrics[INBOUND_CENSUS_KNOWN]), due != METRIC_UNKNOWN);
}

static void must_be_unknown(void)
{
    must_be(METRIC_UNKNOWN, METRIC_UNKNOWN, METRIC_UNKNOWN, METRIC_UNKNOWN);
}

static void nobody_reads_nobody_asks(void **state)
{
    (void)state;
    census_turn(&census, 1000000);
    assert_int_equal(redis.questions, 0);
    must_be_unknown();
}

static void a_reader_makes_it_ask_and_publish(void **state)
{
    (void)state;
    (void)census_ask(&census, 1000);
    census_turn(&census, 1000);
    must_be_unknown();
    answer(STORE_OK);
    must_be(7, 2, 1500, 1);
}

static void many_readers_ask_once_per_interval(void **state)
{
    (void)state;
    for (int64_t now_ms = 1000; now_ms < 1000 + 2 * CENSUS_INTERVAL_MS; now_ms += 100) {
        unsigned before = redis.questions;
        (void)census_ask(&census, now_ms);
        census_turn(&census, now_ms);
        if (redis.questions > before)
            answer(STORE_OK);
    }
    assert_int_equal(redis.questions, 2);
}

static void one_question_at_a_time(void **state)
{
    (void)state;
    (void)census_ask(&census, 1000);
    census_turn(&census, 1000);
    census_turn(&census, 1000 + 3 * CENSUS_INTERVAL_MS);
    assert_int_equal(redis.questions, 1);
}

static void it_goes_on_between_slow_readers_and_ends_behind_the_last(void **state)
{
    (void)state;
    (void)census_ask(&census, 0);
    census_turn(&census, 0);
    answer(STORE_OK);
    census_turn(&census, CENSUS_ASKED_FOR_MS - 1);
    assert_int_equal(redis.questions, 2);
    answer(STORE_OK);
    census_turn(&census, CENSUS_ASKED_FOR_MS + CENSUS_INTERVAL_MS);
    assert_int_equal(redis.questions, 2);
    must_be_unknown();
}

static void without_redis_it_is_unknown(void **state)
{
    (void)state;
    (void)census_ask(&census, 0);
    census_turn(&census, 0);
    answer(STORE_OK);
    census_turn(&census, CENSUS_INTERVAL_MS);
    answer(STORE_UNAVAILABLE);
    must_be_unknown();
    census_turn(&census, 2 * CENSUS_INTERVAL_MS);
    answer(STORE_OK);
    must_be(7, 2, 1500, 1);
    redis.is_away = true;
    census_turn(&census, 3 * CENSUS_INTERVAL_MS);
    must_be_unknown();
    redis.is_away = false;
    census_turn(&census, 3 * CENSUS_INTERVAL_MS + 1000); /* sooner than after an answer */
    assert_int_equal(redis.questions, 4);
}

/* A loop with nothing else to do sleeps for as long as it is told here. */
static void it_says_until_when_its_loop_may_rest(void **state)
{
    (void)state;
    assert_int_equal(census_timeout_ms(&census, 1000), -1);
    assert_true(census_ask(&census, 1000)); /* the loop is to be woken */
    assert_false(census_ask(&census, 1001));
    assert_int_equal(census_timeout_ms(&census, 1001), 0);
    census_turn(&census, 1001);
    assert_int_equal(census_timeout_ms(&census, 1001), -1); /* the answer wakes it */
    answer(STORE_OK);
    assert_int_equal(census_timeout_ms(&census, 2001), CENSUS_INTERVAL_MS - 1000);
    redis.is_away = true;
    int64_t now_ms = 1001 + CENSUS_INTERVAL_MS;
    census_turn(&census, now_ms);
    assert_in_range(census_timeout_ms(&census, now_ms), 1, CENSUS_INTERVAL_MS / 2);
    now_ms = 1001 + CENSUS_ASKED_FOR_MS;
    assert_int_equal(census_timeout_ms(&census, now_ms), -1);
    assert_true(census_ask(&census, now_ms));
}

static void it_is_withdrawn_in_time(void **state)
{
    (void)state;
    (void)census_ask(&census, 0);
    census_turn(&census, 0);
    answer(STORE_OK);
    assert_int_equal(census_timeout_ms(&census, CENSUS_ASKED_FOR_MS), 0);
    census_turn(&census, CENSUS_ASKED_FOR_MS);
    must_be_unknown();
    assert_int_equal(census_timeout_ms(&census, CENSUS_ASKED_FOR_MS), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("asks nothing while nobody reads", nobody_reads_nobody_asks, set_up, NULL),
        IT_WITH("asks and publishes for a reader", a_reader_makes_it_ask_and_publish, set_up, NULL),
        IT_WITH("asks once per interval for many readers", many_readers_ask_once_per_interval,
                set_up, NULL),
        IT_WITH("asks one question at a time", one_question_at_a_time, set_up, NULL),
        IT_WITH("goes on between slow readers and ends behind the last",
                it_goes_on_between_slow_readers_and_ends_behind_the_last, set_up, NULL),
        IT_WITH("says until when its loop may rest", it_says_until_when_its_loop_may_rest, set_up,
                NULL),
        IT_WITH("withdraws in time what nobody reads any more", it_is_withdrawn_in_time, set_up,
                NULL),
        IT_WITH("knows nothing without Redis", without_redis_it_is_unknown, set_up, NULL),
    };
    return cmocka_run_group_tests_name("census", tests, NULL, NULL);
}
