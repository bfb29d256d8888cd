/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Acknowledged writes that wait for one confirmation together. */
#include "tests/support/specification.h"
#include "tests/support/syncing_redis.h"

static struct driver driver;
static unsigned failures;

static void count_failure(void *context, const struct store_failure *failure,
                          const struct accept_result *results, size_t count)
{
    failures += failure->status != STORE_OK;
    driver_accept_done(context, failure, results, count);
}

static void send_events(unsigned count)
{
    static const struct accept_item item = {"A", "token-1", "event-1", -1, NULL, 0, 0};
    struct error error;
    while (count-- > 0)
        assert_true(store_accept(driver.store, &item, 1, 0, count_failure, &driver, &error));
}

static void say_times(struct fake_redis *fake, const char *text, unsigned count)
{
    while (count-- > 0)
        fake_redis_say_text(fake, text);
}

/* A Redis that syncs each second takes that for each question. */
static void asks_once_for_all_that_leave_together(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    send_events(10);
    store_flush(driver.store);
    assert_int_equal(fake_redis_count(fake, "WAITAOF"), 1);
    say_times(fake, ACCEPTED MARKED, 10);
    driver_turn_for(&driver, 20);
    assert_int_equal(driver.answers, 0);
    fake_redis_say_text(fake, SYNCED);
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 10);
    assert_int_equal(driver.failure.status, STORE_OK);
    driver_stop(&driver);
}

/* All of them together are awaited for longer than a single answer may be. */
static void asks_once_for_all_that_come_while_it_waits(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    send_events(1);
    store_flush(driver.store);
    fake_redis_must_hear(fake, "WAITAOF");
    for (int i = 0; i < 5; i++) {
        send_events(2);
        driver_turn_for(&driver, 20);
    }
    assert_int_equal(fake_redis_count(fake, "WAITAOF"), 0);
    driver_turn_for(&driver, 1200);
    fake_redis_say_text(fake, ACCEPTED MARKED SYNCED);
    say_times(fake, ACCEPTED MARKED, 10);
    driver_turn_for(&driver, 20);
    assert_int_equal(driver.answers, 1);
    assert_int_equal(fake_redis_count(fake, "WAITAOF"), 1);
    driver_turn_for(&driver, 1200);
    assert_int_equal(driver.answers, 1);
    fake_redis_say_text(fake, SYNCED);
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 11);
    assert_int_equal(driver.failure.status, STORE_OK);
    driver_stop(&driver);
}

/* Of three one was refused, and knows that; those that came later go with the connection. */
static void tells_all_that_are_not_confirmed(void **state)
{
    (void)state;
    AUTO(fake_redis) *fake = fake_redis_start();
    syncing_redis_drive(fake, &driver);
    failures = 0;
    send_events(3);
    store_flush(driver.store);
    fake_redis_must_hear(fake, "WAITAOF");
    send_events(2);
    store_flush(driver.store);
    fake_redis_say_text(fake,
                        ACCEPTED MARKED "-OOM command not allowed\r\n" MARKED ACCEPTED MARKED);
    while (driver.answers == 0)
        driver_turn(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    fake_redis_say_text(fake, UNSYNCED ACCEPTED MARKED);
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 5);
    assert_int_equal(failures, 5);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    driver_must_become(&driver, false);
    driver_stop(&driver);
}

/* All that Redis had to say was said, but nobody has asked for those that gathered. */
static void loses_those_that_gather_with_the_connection(void **state)
{
    (void)state;
    for (int is_ended_by_us = 0; is_ended_by_us < 2; is_ended_by_us++) {
        AUTO(fake_redis) *fake = fake_redis_start();
        syncing_redis_drive(fake, &driver);
        failures = 0;
        send_events(1);
        store_flush(driver.store);
        fake_redis_must_hear(fake, "WAITAOF");
        send_events(2);
        store_flush(driver.store);
        fake_redis_say_text(fake, ACCEPTED MARKED SYNCED ACCEPTED MARKED ACCEPTED MARKED);
        if (!is_ended_by_us)
            fake_redis_hang_up(fake);
        while (driver.answers == 0)
            driver_turn(&driver);
        assert_int_equal(failures, 0);
        if (!is_ended_by_us)
            driver_settle_down(&driver);
        driver_stop(&driver);
        assert_int_equal(driver.answers, 3);
        assert_int_equal(failures, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("asks once for all that leave together", asks_once_for_all_that_leave_together),
        IT("asks once for all that come while it waits",
           asks_once_for_all_that_come_while_it_waits),
        IT("tells all that are not confirmed", tells_all_that_are_not_confirmed),
        IT("loses those that gather with the connection",
           loses_those_that_gather_with_the_connection),
    };
    return cmocka_run_group_tests_name("group_commit", tests, NULL, NULL);
}
