/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/standing.h"

#include "tests/support/specification.h"

/* Nothing is wrong, and nothing waits. */
#define FINE .token_failing_ms = -1, .breaker_open_ms = -1

static void must_be(struct standing_view view, enum store_sending to, const char *reason,
                    const char *detail)
{
    view.token_error = "invalid_client";
    view.sending_error = "HTTP_503: it is away";
    struct store_change found = standing_judge(&view);
    assert_int_equal(found.to, to);
    assert_string_equal(found.reason != NULL ? found.reason : "", reason);
    if (detail != NULL)
        assert_string_equal(found.detail, detail);
}

static void names_what_is_in_the_way(void **state)
{
    (void)state;
    must_be((struct standing_view){FINE, .paused_at_ms = 1}, SENDING_STALLED, "paused", NULL);
    must_be((struct standing_view){FINE, .due = 1, .oldest_due_age_ms = STANDING_OVERDUE_MS},
            SENDING_STALLED, "overdue", "HTTP_503: it is away");
    must_be((struct standing_view){.token_failing_ms = STANDING_TROUBLE_MS, .breaker_open_ms = -1},
            SENDING_STALLED, "access-token", "invalid_client");
    must_be((struct standing_view){.due = 1,
                                   .token_failing_ms = -1,
                                   .breaker_open_ms = STANDING_TROUBLE_MS},
            SENDING_STALLED, "seek-fails", "HTTP_503: it is away");
    must_be((struct standing_view){.token_failing_ms = -1, .breaker_open_ms = STANDING_TROUBLE_MS},
            SENDING_UNKNOWN, "", NULL); /* nothing waits, so nobody asks whether it still fails */
}

static void waits_with_what_may_be_over_soon(void **state)
{
    (void)state;
    must_be((struct standing_view){FINE, .due = 1, .oldest_due_age_ms = STANDING_OVERDUE_MS - 1},
            SENDING_UNKNOWN, "", NULL);
    must_be(
        (struct standing_view){.token_failing_ms = STANDING_TROUBLE_MS - 1, .breaker_open_ms = -1},
        SENDING_UNKNOWN, "", NULL);
    must_be(
        (struct standing_view){.token_failing_ms = -1, .breaker_open_ms = STANDING_TROUBLE_MS - 1},
        SENDING_UNKNOWN, "", NULL);
}

static void says_that_it_goes_on_when_that_is_proven(void **state)
{
    (void)state;
    must_be((struct standing_view){FINE, .due = 0}, SENDING_RESUMED, "", NULL);
    must_be((struct standing_view){FINE, .due = 5, .was_paused = true}, SENDING_RESUMED, "", NULL);
    must_be((struct standing_view){FINE, .due = 5, .stalled_at_ms = 10, .delivered_at_ms = 11},
            SENDING_RESUMED, "", NULL);
    must_be((struct standing_view){FINE, .due = 5, .stalled_at_ms = 10, .delivered_at_ms = 10},
            SENDING_UNKNOWN, "", NULL);
    must_be((struct standing_view){FINE, .due = 5}, SENDING_UNKNOWN, "", NULL);
}

static void knows_nothing_without_redis(void **state)
{
    (void)state;
    must_be((struct standing_view){.due = -1, .breaker_open_ms = STANDING_TROUBLE_MS},
            SENDING_UNKNOWN, "", NULL);
}

/* Of a cluster with a node that is away. */
static void does_not_take_a_part_for_all(void **state)
{
    (void)state;
    struct sending_watch watch = {.view = {FINE, .due = -1}};
    sending_watch_note(&watch, &(struct store_census){.is_partial = true, .paused_at_ms = 1});
    must_be(watch.view, SENDING_STALLED, "paused", NULL);
    sending_watch_note(&watch, &(struct store_census){.is_partial = true});
    must_be(watch.view, SENDING_UNKNOWN, "", NULL);
    sending_watch_note(&watch, &(struct store_census){.is_partial = false});
    must_be(watch.view, SENDING_RESUMED, "", NULL);
    sending_watch_note(&watch, NULL);
    must_be(watch.view, SENDING_UNKNOWN, "", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("names what is in the way", names_what_is_in_the_way),
        IT("waits with what may be over soon", waits_with_what_may_be_over_soon),
        IT("says that sending goes on when that is proven",
           says_that_it_goes_on_when_that_is_proven),
        IT("does not take a part of the shards for all", does_not_take_a_part_for_all),
        IT("knows nothing without Redis", knows_nothing_without_redis),
    };
    return cmocka_run_group_tests_name("standing", tests, NULL, NULL);
}
