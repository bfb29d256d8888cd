/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What arrives late, or by another clock, where there is a spool: an older seek-token does not get
 * over a newer one. */
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/store_internal.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

enum { SECOND_US = 1000000, PLACES = 1 };
enum { NOBODY, OURS, OTHERS }; /* lives */

static int64_t now_us; /* when the test began */

static int start(void **state)
{
    (void)store_stand_start(state);
    now_us = clock_wall_us();
    return 0;
}

/* --- what is done to the application "A" --- */

static struct accept_item item_of(const char *seek_token, int64_t came_us, uint32_t life)
{
    return (struct accept_item){.application_id = "A",
                                .seek_token = seek_token,
                                .event_id = "event",
                                .completed_at_ms = -1,
                                .came_us = came_us,
                                .life = life};
}

static const struct accept_result *accept(const char *seek_token, int64_t came_us, uint32_t life)
{
    const struct accept_item item = item_of(seek_token, came_us, life);
    struct error error;
    if (!store_accept(driver.store, &item, 1, PLACES, driver_accept_done, &driver, &error))
        fail_msg("not sent: %s", error.message);
    driver_settle_down(&driver);
    return &driver.accepted[0];
}

static enum accept_outcome accept_event(const char *seek_token, int64_t came_us, uint32_t life)
{
    enum accept_outcome outcome = accept(seek_token, came_us, life)->outcome;
    if (driver.failure.status != STORE_OK)
        fail_msg("failed: %s", driver.failure.detail);
    return outcome;
}

static void put_token(const char *seek_token, int64_t came_us, uint32_t life)
{
    const struct accept_item item = item_of(seek_token, came_us, life);
    struct error error;
    if (!store_put_token(driver.store, &item, driver_done, &driver, &error))
        fail_msg("not sent: %s", error.message);
    driver_settle_down(&driver);
}

static void take_outcome(void *context, const struct store_failure *failure,
                         const enum drain_outcome *outcomes, size_t count)
{
    if (failure->status != STORE_OK)
        fail_msg("failed: %s", failure->detail);
    assert_int_equal(count, 1);
    *(enum drain_outcome *)context = outcomes[0];
}

static enum drain_outcome drain(enum drain_kind kind, const char *seek_token, int64_t stamp_us,
                                uint32_t life)
{
    const struct drain_record record = {.kind = kind,
                                        .application_id = "A",
                                        .seek_token = seek_token,
                                        .event_id = "event",
                                        .completed_at_ms = stamp_us / 1000,
                                        .stamp_us = stamp_us,
                                        .life = life};
    enum drain_outcome outcome = DRAIN_UNDONE;
    struct error error;
    if (!store_drain(driver.store, &record, 1, take_outcome, &outcome, &error))
        fail_msg("not sent: %s", error.message);
    driver_settle_down(&driver);
    return outcome;
}

static void must_be(const char *state, const char *seek_token)
{
    assert_string_equal(stored_field(server, "A", "state"), state);
    assert_string_equal(stored_field(server, "A", "token"), seek_token);
}

/* --- from a connection that was given up --- */

static void keeps_the_newer_seek_token_of_a_process(void **state)
{
    (void)state;
    assert_int_equal(accept_event("newer", now_us, OURS), ACCEPT_ACCEPTED);
    assert_int_equal(accept_event("older", now_us - 1, OURS), ACCEPT_DUPLICATE);
    must_be("sending", "newer");
    assert_int_equal(drain(DRAIN_EVENT, "older", now_us - 1, OURS), DRAIN_DUPLICATE);
    assert_int_equal(accept_event("older", 0, NOBODY), ACCEPT_DUPLICATE); /* posted once more */
    must_be("sending", "newer");
}

static void keeps_the_newer_draft_of_a_process(void **state)
{
    (void)state;
    put_token("newer", now_us, OURS);
    put_token("older", now_us - 1, OURS);
    must_be("draft", "newer");
    assert_int_equal(accept_event(NULL, now_us + 1, OURS), ACCEPT_ACCEPTED);
    put_token("older", now_us - 1, OURS);
    must_be("sending", "newer");
}

static void keeps_what_was_drained(void **state)
{
    (void)state;
    assert_int_equal(drain(DRAIN_DRAFT, "older", now_us - 1, OURS), DRAIN_APPLIED);
    assert_int_equal(drain(DRAIN_DRAFT, "newer", now_us, OURS), DRAIN_APPLIED);
    put_token("older", now_us - 1, OURS);
    must_be("draft", "newer");
}

/* Completed with the older seek-token, then the candidate came back: the event is not lost. */
static void owes_a_late_event_with_the_newer_draft(void **state)
{
    (void)state;
    put_token("newer", now_us, OURS);
    const struct accept_result *result = accept("older", now_us - 1, OURS);
    assert_int_equal(result->outcome, ACCEPT_ACCEPTED);
    assert_int_equal(result->lease, 0); /* its caller would send the older one */
    must_be("pending", "newer");
    assert_int_equal(accept_event("older", 0, NOBODY), ACCEPT_DUPLICATE);
}

/* Each of two processes has its clock: what Redis gets later is newer. */
static void does_not_compare_the_clocks_of_two_processes(void **state)
{
    (void)state;
    assert_int_equal(accept_event("older", now_us, OTHERS), ACCEPT_ACCEPTED);
    assert_int_equal(accept_event("newer", now_us - SECOND_US, OURS), ACCEPT_REPLACED);
    must_be("pending", "newer");
    put_token("newest", now_us - SECOND_US, OTHERS);
    must_be("pending", "newest");
    assert_int_equal(accept_event("of no spool", 0, NOBODY), ACCEPT_REPLACED);
    must_be("pending", "of no spool");
}

/* As far as the store knows, Redis is by so much farther than it is. */
static void believe_redis_to_be(int64_t behind_ms)
{
    store_link_note_clock(driver.store->shards[0].link, clock_wall_ms() - behind_ms,
                          clock_monotonic_ms());
}

/* It is in the spool by then. A newer one may have been sent by another process, and forgotten. */
static void does_nothing_once_nobody_waits(void **state)
{
    (void)state;
    believe_redis_to_be(60000);
    (void)accept("late", now_us, OURS);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    assert_null(must_get(&driver, "A"));
    assert_int_equal(accept_event("next", now_us, OURS), ACCEPT_ACCEPTED); /* its clock is known */
    believe_redis_to_be(60000);
    put_token("late", now_us + 1, OURS);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    must_be("sending", "next");
}

/* It was drained again by then, and perhaps forgotten. */
static void drains_nothing_once_nobody_waits(void **state)
{
    (void)state;
    believe_redis_to_be(60000);
    assert_int_equal(drain(DRAIN_EVENT, "late", now_us, OURS), DRAIN_UNDONE);
    assert_null(must_get(&driver, "A"));
    assert_int_equal(drain(DRAIN_EVENT, "again", now_us, OURS), DRAIN_APPLIED);
}

static void takes_what_no_spool_has_however_late(void **state)
{
    (void)state;
    believe_redis_to_be(60000);
    put_token("draft", 0, NOBODY);
    must_be("draft", "draft");
    assert_int_equal(accept_event("event", 0, NOBODY), ACCEPT_ACCEPTED);
    must_be("pending", "event"); /* whoever would send it is gone */
}

/* --- a clock that is ahead of Redis's --- */

static void keeps_the_order_of_a_process_whose_clock_is_ahead(void **state)
{
    (void)state;
    for (uint32_t life = NOBODY; life <= OURS; life++) {
        (void)accept_event("newer", now_us + 3 * SECOND_US, life);
        assert_int_equal(drain(DRAIN_EVENT, "older", now_us + 29 * SECOND_US / 10, life),
                         DRAIN_SUPERSEDED);
        must_be("sending", "newer");
        must_forget(&driver, "A");
        put_token("newer", now_us + 3 * SECOND_US, life);
        assert_int_equal(drain(DRAIN_DRAFT, "older", now_us + 29 * SECOND_US / 10, life),
                         DRAIN_SUPERSEDED);
        must_be("draft", "newer");
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void does_not_believe_the_future_of_another_process(void **state)
{
    (void)state;
    (void)accept_event("older", now_us + 3600LL * SECOND_US, OTHERS);
    assert_int_equal(drain(DRAIN_EVENT, "newer", clock_wall_us() + SECOND_US, OURS), DRAIN_APPLIED);
    must_be("pending", "newer");
    (void)drain(DRAIN_EVENT, "ahead", INT64_MAX / 2, OTHERS);
    must_be("pending", "ahead");
    assert_int_equal(drain(DRAIN_EVENT, "newest", clock_wall_us() + SECOND_US, OURS),
                     DRAIN_APPLIED);
    assert_int_equal(drain(DRAIN_EVENT, "of before", now_us - SECOND_US, OTHERS), DRAIN_SUPERSEDED);
    must_be("pending", "newest");
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("keeps the newer seek-token of a process when its older one arrives late",
             keeps_the_newer_seek_token_of_a_process),
        SPEC("keeps the newer draft of a process", keeps_the_newer_draft_of_a_process),
        SPEC("keeps what was drained", keeps_what_was_drained),
        SPEC("owes a late event with the newer draft", owes_a_late_event_with_the_newer_draft),
        SPEC("does not compare the clocks of two processes",
             does_not_compare_the_clocks_of_two_processes),
        SPEC("does nothing once nobody waits for the answer", does_nothing_once_nobody_waits),
        SPEC("drains nothing once nobody waits for the answer", drains_nothing_once_nobody_waits),
        SPEC("takes what no spool has, however late", takes_what_no_spool_has_however_late),
        SPEC("keeps the order of a process whose clock is ahead",
             keeps_the_order_of_a_process_whose_clock_is_ahead),
        SPEC("does not believe the future of another process",
             does_not_believe_the_future_of_another_process),
    };
    return cmocka_run_group_tests_name("late commands", tests, store_stand_begin,
                                       store_stand_finish);
}
