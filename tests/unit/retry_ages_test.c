/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "service/outbound/retry_ages.h"

#include "tests/support/specification.h"

enum { MINUTE_MS = 60000, PATIENCE_MS = 5 * MINUTE_MS /* of retry_ages.c */ };

static struct retry_ages ages;

static int start(void **state)
{
    (void)state;
    retry_ages_init(&ages);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    retry_ages_fini(&ages);
    return 0;
}

static int64_t oldest(enum verdict_class class, int64_t now_ms)
{
    return retry_ages_oldest_ms(&ages, class, now_ms);
}

static void keeps_the_oldest_of_each_class(void **state)
{
    (void)state;
    assert_int_equal(oldest(VERDICT_TRANSIENT, 0), 0);
    retry_ages_note(&ages, "A-1", VERDICT_TRANSIENT, 70, 10, 100);
    retry_ages_note(&ages, "A-2", VERDICT_TRANSIENT, 90, 10, 100);
    retry_ages_note(&ages, "A-3", VERDICT_AUTH, 5, 10, 100);
    assert_int_equal(oldest(VERDICT_TRANSIENT, 100), 90);
    assert_int_equal(oldest(VERDICT_TRANSIENT, 150), 140); /* it grows without an attempt */
    assert_int_equal(oldest(VERDICT_AUTH, 100), 5);
    assert_int_equal(oldest(VERDICT_MISCONFIGURED, 100), 0);
}

static void goes_by_the_last_attempt(void **state)
{
    (void)state;
    retry_ages_note(&ages, "A-1", VERDICT_TRANSIENT, 50, 10, 100);
    retry_ages_note(&ages, "A-1", VERDICT_AUTH, 60, 10, 110);
    assert_int_equal(oldest(VERDICT_TRANSIENT, 110), 0);
    assert_int_equal(oldest(VERDICT_AUTH, 110), 60);
    retry_ages_note(&ages, "A-1", VERDICT_AUTH, 1, 10, 120); /* a newer seek-token, say */
    assert_int_equal(oldest(VERDICT_AUTH, 120), 1);
}

static void forgets_what_is_over(void **state)
{
    (void)state;
    retry_ages_note(&ages, "A-1", VERDICT_TRANSIENT, 50, 10, 100);
    retry_ages_note(&ages, "A-2", VERDICT_TRANSIENT, 40, 10, 100);
    retry_ages_forget(&ages, "A-1");
    assert_int_equal(oldest(VERDICT_TRANSIENT, 100), 40);
    retry_ages_forget(&ages, "A-9");
    retry_ages_forget(&ages, "A-2");
    assert_int_equal(oldest(VERDICT_TRANSIENT, 100), 0);
}

static void forgets_what_nobody_tried_again(void **state)
{
    (void)state;
    retry_ages_note(&ages, "A-1", VERDICT_TRANSIENT, 0, MINUTE_MS, 100);
    int64_t last_ms = 100 + MINUTE_MS + PATIENCE_MS;
    assert_int_equal(oldest(VERDICT_TRANSIENT, last_ms - 1), last_ms - 101);
    assert_int_equal(oldest(VERDICT_TRANSIENT, last_ms), 0);
}

static void misses_no_attempt_while_sending_is_held(void **state)
{
    (void)state;
    retry_ages_note(&ages, "A-1", VERDICT_TRANSIENT, 0, 10, 100);
    int64_t now_ms = 100;
    for (int i = 0; i < 60; i++) /* an hour's outage */
        retry_ages_hold(&ages, now_ms += MINUTE_MS);
    assert_int_equal(oldest(VERDICT_TRANSIENT, now_ms), 60 * MINUTE_MS);
    assert_int_equal(oldest(VERDICT_TRANSIENT, now_ms + PATIENCE_MS), 0);
    retry_ages_hold(&ages, now_ms + PATIENCE_MS); /* what is forgotten does not come back */
    assert_int_equal(oldest(VERDICT_TRANSIENT, now_ms + PATIENCE_MS), 0);
}

static void has_room_for_the_oldest(void **state)
{
    (void)state;
    char id[16];
    for (int i = 0; i < 3 * RETRY_AGES_KEPT; i++) {
        (void)snprintf(id, sizeof id, "A-%d", i);
        retry_ages_note(&ages, id, VERDICT_TRANSIENT, 100 + i, 10, 1000);
    }
    retry_ages_note(&ages, "young", VERDICT_TRANSIENT, 1, 10, 1000);
    for (int i = 3 * RETRY_AGES_KEPT - 1; i >= 2 * RETRY_AGES_KEPT; i--) {
        assert_int_equal(oldest(VERDICT_TRANSIENT, 1000), 100 + i);
        (void)snprintf(id, sizeof id, "A-%d", i);
        retry_ages_forget(&ages, id);
    }
    assert_int_equal(oldest(VERDICT_TRANSIENT, 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("keeps the oldest of each class", keeps_the_oldest_of_each_class, start, stop),
        IT_WITH("goes by the last attempt of a signal", goes_by_the_last_attempt, start, stop),
        IT_WITH("forgets what is delivered or dead", forgets_what_is_over, start, stop),
        IT_WITH("forgets what nobody tried again", forgets_what_nobody_tried_again, start, stop),
        IT_WITH("misses no attempt while sending is held", misses_no_attempt_while_sending_is_held,
                start, stop),
        IT_WITH("has room for the oldest, whoever comes", has_room_for_the_oldest, start, stop),
    };
    return cmocka_run_group_tests_name("retry_ages", tests, NULL, NULL);
}
