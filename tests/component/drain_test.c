/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What comes from the spool meets what Redis has by then: the newest seek-token wins, and what
 * comes a second time changes nothing. */
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

static enum drain_outcome outcome;
static int64_t now_us; /* when the test began: later than what it says came before */

enum { SECOND_US = 1000000 };

static int start(void **state)
{
    (void)store_stand_start(state);
    now_us = clock_wall_us();
    return 0;
}

/* --- what is done to the application "A" --- */

static void take_outcomes(void *context, const struct store_failure *failure,
                          const enum drain_outcome *outcomes, size_t count)
{
    (void)context;
    if (failure->status != STORE_OK)
        fail_msg("failed: %s", failure->detail);
    assert_int_equal(count, 1);
    outcome = outcomes[0];
}

static void drain(enum drain_kind kind, const char *seek_token, int64_t stamp_us)
{
    const struct drain_record record = {.kind = kind,
                                        .application_id = "A",
                                        .seek_token = seek_token,
                                        .event_id = "spooled-event",
                                        .completed_at_ms = 1700000000123,
                                        .traceparent = "trace",
                                        .stamp_us = stamp_us};
    struct error error;
    if (!store_drain(driver.store, &record, 1, take_outcomes, NULL, &error))
        fail_msg("not sent: %s", error.message);
    driver_settle_down(&driver);
}

static enum drain_outcome drain_event(const char *seek_token, int64_t stamp_us)
{
    drain(DRAIN_EVENT, seek_token, stamp_us);
    return outcome;
}

static enum drain_outcome drain_draft(const char *seek_token, int64_t stamp_us)
{
    drain(DRAIN_DRAFT, seek_token, stamp_us);
    return outcome;
}

static void accept_now(const char *seek_token)
{
    assert_int_not_equal(must_accept_one(&driver, "A", seek_token, "direct"), ACCEPT_NO_TOKEN);
}

static void deliver(void)
{
    static const struct verdict verdict = {.class = VERDICT_DELIVERED};
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &verdict),
                     SETTLED);
}

static void die(void)
{
    static const struct verdict verdict = {.class = VERDICT_REFUSED};
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DEAD, 0, &verdict),
                     SETTLED);
}

static const char *field(const char *name)
{
    return stored_field(server, "A", name);
}

static void must_be(const char *state, const char *seek_token)
{
    assert_string_equal(field("state"), state);
    assert_string_equal(field("token"), seek_token);
    bool is_owed = strcmp(state, "pending") == 0 || strcmp(state, "sending") == 0;
    bool expires = strcmp(redis_server_cli(server, "TTL 'seek-signal:{0}:app:A'"), "-1") != 0;
    assert_int_equal(is_owed, redis_server_cli(server, "ZSCORE 'seek-signal:{0}:due' A")[0] != 0);
    assert_int_equal(expires, strcmp(state, "draft") == 0 || strcmp(state, "delivered") == 0);
}

/* --- events --- */

static void owes_an_event_as_it_was_accepted(void **state)
{
    (void)state;
    assert_int_equal(drain_event("t", now_us - 60 * SECOND_US), DRAIN_APPLIED);
    must_be("pending", "t");
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->accepted_at_ms, (now_us - 60 * SECOND_US) / 1000);
    assert_int_equal(application->token_received_at_ms, application->accepted_at_ms);
    assert_int_equal(application->completed_at_ms, 1700000000123);
    assert_string_equal(application->event_id, "spooled-event");
    assert_string_equal(application->traceparent, "trace");
    deliver();
    must_be("delivered", "t");
}

static void does_not_believe_in_the_future(void **state)
{
    (void)state;
    assert_int_equal(drain_event("t", now_us + 3600LL * SECOND_US), DRAIN_APPLIED);
    int64_t accepted_at_ms = must_get(&driver, "A")->accepted_at_ms;
    assert_true(accepted_at_ms >= now_us / 1000 && accepted_at_ms <= clock_wall_ms());
}

static void knows_a_duplicate_in_every_state(void **state)
{
    (void)state;
    accept_now("t");
    assert_int_equal(drain_event("t", now_us + SECOND_US), DRAIN_DUPLICATE);
    must_be("pending", "t");
    assert_string_equal(field("event"), "direct");
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(drain_event("t", now_us + SECOND_US), DRAIN_DUPLICATE);
    must_be("sending", "t");
    assert_int_equal(must_get(&driver, "A")->generation, claim.generation);
    static const struct verdict verdict = {.class = VERDICT_DELIVERED};
    (void)must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &verdict);
    assert_int_equal(drain_event("t", now_us + SECOND_US), DRAIN_DUPLICATE);
    must_be("delivered", "t");
}

static void sends_a_draft_s_seek_token(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "t", "e");
    assert_int_equal(drain_event("t", now_us - SECOND_US), DRAIN_APPLIED);
    must_be("pending", "t");
}

static void replaces_what_came_before(void **state)
{
    (void)state;
    accept_now("old");
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(drain_event("new", clock_wall_us() + SECOND_US), DRAIN_APPLIED);
    must_be("pending", "new");
    assert_int_equal(must_claim(&driver, 1), 0); /* the older one is still out */
    static const struct verdict verdict = {.class = VERDICT_DELIVERED};
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &verdict),
                     SETTLE_FENCED);
    assert_string_equal(must_claim_one(&driver).seek_token, "new");
}

static void brings_back_what_died(void **state)
{
    (void)state;
    accept_now("old");
    die();
    assert_int_equal(drain_event("new", clock_wall_us() + SECOND_US), DRAIN_APPLIED);
    must_be("pending", "new");
    must_count(&driver, 1, 0);
}

static void leaves_what_came_later_alone(void **state)
{
    (void)state;
    accept_now("new");
    assert_int_equal(drain_event("old", now_us - SECOND_US), DRAIN_SUPERSEDED);
    must_be("pending", "new");
    deliver();
    assert_int_equal(drain_event("old", now_us - SECOND_US), DRAIN_DUPLICATE);
    assert_int_equal(drain_draft("older yet", now_us - SECOND_US), DRAIN_SUPERSEDED);
    must_be("delivered", "new");
}

/* Completed with the older seek-token, then the candidate came back: the event is not lost. */
static void owes_an_older_event_with_a_newer_draft(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "new", "e");
    assert_int_equal(drain_event("old", now_us - SECOND_US), DRAIN_SUPERSEDED);
    must_be("pending", "new");
    assert_string_equal(field("event"), "spooled-event");
    assert_int_equal(drain_event("old", now_us - SECOND_US), DRAIN_DUPLICATE);
    must_be("pending", "new");
}

/* The ATS repeats an event whose answer it did not get; meanwhile it was spooled, and came too
 * late. */
static void knows_an_older_event_that_is_posted_again(void **state)
{
    (void)state;
    accept_now("new");
    assert_int_equal(drain_event("old", now_us - SECOND_US), DRAIN_SUPERSEDED);
    accept_now("old");
    must_be("pending", "new");
    deliver();
    accept_now("old");
    must_be("delivered", "new");
}

/* --- the order of one spool, and what comes twice --- */

static void keeps_the_order_of_a_microsecond(void **state)
{
    (void)state;
    assert_int_equal(drain_event("first", now_us), DRAIN_APPLIED);
    assert_int_equal(drain_event("second", now_us + 1), DRAIN_APPLIED);
    must_be("pending", "second");
    for (int again = 0; again < 2; again++) {
        assert_int_equal(drain_event("first", now_us), DRAIN_DUPLICATE);
        assert_int_equal(drain_event("second", now_us + 1), DRAIN_DUPLICATE);
        assert_int_equal(drain_event("never applied", now_us),
                         again == 0 ? DRAIN_SUPERSEDED : DRAIN_DUPLICATE);
        must_be(again == 0 ? "pending" : "delivered", "second");
        if (again == 0)
            deliver();
    }
}

static void knows_a_replaced_seek_token_again(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        (void)drain_event("one", now_us);
        (void)drain_event("two", now_us + 1);
        assert_int_equal(drain_event("one", now_us + 2), DRAIN_DUPLICATE);
        assert_int_equal(drain_draft("one", now_us + 3), DRAIN_DUPLICATE);
        must_be("pending", "two");
    }
}

static void does_not_repeat_an_event_behind_a_draft(void **state)
{
    (void)state;
    (void)drain_event("old", now_us);
    deliver();
    assert_int_equal(drain_draft("new", now_us + 1), DRAIN_APPLIED);
    assert_int_equal(drain_event("old", now_us), DRAIN_DUPLICATE);
    must_be("draft", "new");
}

/* A clock that was far ahead counts no longer once a seek-token came to Redis itself. */
static void forgets_a_stamp_with_its_seek_token(void **state)
{
    (void)state;
    (void)drain_event("ahead", now_us + 3600LL * SECOND_US);
    accept_now("direct");
    assert_string_equal(field("spooled"), "");
    assert_int_equal(drain_event("later", clock_wall_us() + 60LL * SECOND_US), DRAIN_APPLIED);
    must_be("pending", "later");
    deliver();
    must_put_token(&driver, "A", "draft", "e");
    assert_string_equal(field("spooled"), "");
}

static void keeps_the_stamp_of_a_draft_that_is_completed(void **state)
{
    (void)state;
    assert_int_equal(drain_draft("draft", now_us + 5LL * SECOND_US), DRAIN_APPLIED);
    accept_now(NULL);
    must_be("pending", "draft");
    assert_int_equal(drain_event("older", now_us + 4LL * SECOND_US), DRAIN_SUPERSEDED);
    must_be("pending", "draft");
}

/* --- drafts --- */

static void keeps_a_draft_as_it_came(void **state)
{
    (void)state;
    assert_int_equal(drain_draft("t", now_us - 60 * SECOND_US), DRAIN_APPLIED);
    must_be("draft", "t");
    assert_int_equal(must_get(&driver, "A")->token_received_at_ms,
                     (now_us - 60 * SECOND_US) / 1000);
    assert_int_equal(drain_draft("t", now_us - 60 * SECOND_US), DRAIN_DUPLICATE);
    assert_int_equal(drain_draft("newer", now_us), DRAIN_APPLIED);
    must_be("draft", "newer");
    assert_int_equal(drain_draft("t", now_us - 60 * SECOND_US), DRAIN_SUPERSEDED);
    must_be("draft", "newer");
}

static void owes_again_with_a_newer_draft(void **state)
{
    (void)state;
    accept_now("old");
    char completed[32];
    (void)strcpy(completed, field("accepted"));
    assert_int_equal(drain_draft("new", clock_wall_us() + SECOND_US), DRAIN_APPLIED);
    must_be("pending", "new");
    assert_string_equal(field("completed"), completed); /* the event's, not the draft's */
    die();
    assert_int_equal(drain_draft("newer", clock_wall_us() + 2 * SECOND_US), DRAIN_APPLIED);
    must_be("pending", "newer");
}

static void begins_anew_behind_a_delivery(void **state)
{
    (void)state;
    accept_now("old");
    deliver();
    assert_int_equal(drain_draft("new", clock_wall_us() + SECOND_US), DRAIN_APPLIED);
    must_be("draft", "new");
    assert_string_equal(field("delivered"), "");
}

/* The draft was spooled, then Redis came back, and the event was sent with an older seek-token. */
static void sends_again_what_was_delivered_with_an_older_one(void **state)
{
    (void)state;
    (void)drain_draft("old", now_us - 60 * SECOND_US);
    accept_now(NULL);
    deliver();
    must_be("delivered", "old");
    assert_int_equal(drain_draft("new", now_us - 30 * SECOND_US), DRAIN_APPLIED);
    must_be("pending", "new");
    deliver();
    assert_int_equal(drain_draft("new", now_us - 30 * SECOND_US), DRAIN_DUPLICATE);
    must_be("delivered", "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("owes an event as it was accepted", owes_an_event_as_it_was_accepted, start,
                store_stand_stop),
        IT_WITH("does not believe in the future", does_not_believe_in_the_future, start,
                store_stand_stop),
        IT_WITH("knows a duplicate in every state", knows_a_duplicate_in_every_state, start,
                store_stand_stop),
        IT_WITH("sends a draft's seek-token", sends_a_draft_s_seek_token, start, store_stand_stop),
        IT_WITH("replaces what came before", replaces_what_came_before, start, store_stand_stop),
        IT_WITH("brings back what died", brings_back_what_died, start, store_stand_stop),
        IT_WITH("leaves what came later alone", leaves_what_came_later_alone, start,
                store_stand_stop),
        IT_WITH("owes an older event with a newer draft", owes_an_older_event_with_a_newer_draft,
                start, store_stand_stop),
        IT_WITH("knows an older event that is posted again",
                knows_an_older_event_that_is_posted_again, start, store_stand_stop),
        IT_WITH("keeps the order of a microsecond, also the second time",
                keeps_the_order_of_a_microsecond, start, store_stand_stop),
        IT_WITH("knows a replaced seek-token again", knows_a_replaced_seek_token_again, start,
                store_stand_stop),
        IT_WITH("does not repeat an event that was followed by a draft",
                does_not_repeat_an_event_behind_a_draft, start, store_stand_stop),
        IT_WITH("forgets a stamp with its seek-token", forgets_a_stamp_with_its_seek_token, start,
                store_stand_stop),
        IT_WITH("keeps the stamp of a draft that is completed",
                keeps_the_stamp_of_a_draft_that_is_completed, start, store_stand_stop),
        IT_WITH("keeps a draft as it came", keeps_a_draft_as_it_came, start, store_stand_stop),
        IT_WITH("owes again with a newer draft", owes_again_with_a_newer_draft, start,
                store_stand_stop),
        IT_WITH("begins anew behind a delivery", begins_anew_behind_a_delivery, start,
                store_stand_stop),
        IT_WITH("sends again what was delivered with an older one",
                sends_again_what_was_delivered_with_an_older_one, start, store_stand_stop),
    };
    return cmocka_run_group_tests_name("drain", tests, store_stand_begin, store_stand_finish);
}
