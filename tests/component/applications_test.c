/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The user's side of the store against a real redis-server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/domain/seek_token.h"

#include "tests/support/specification.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

#define KEY(id) "'seek-signal:{0}:app:" id "'"

static const char *field(const char *name)
{
    return stored_field(server, "A", name);
}

static bool expires(void)
{
    return strcmp(redis_server_cli(server, "TTL " KEY("A")), "-1") != 0;
}

/* Claims A's attempt and settles it. */
static void must_end(enum settle_action action)
{
    static const struct verdict verdict = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(must_settle(&driver, "A", claim.generation, action, 0, &verdict), SETTLED);
}

/* --- accept --- */

static void accepts_an_event(void **state)
{
    (void)state;
    int64_t before_ms = clock_wall_ms();
    const struct accept_item item = {.application_id = "A",
                                     .seek_token = "token",
                                     .event_id = "event",
                                     .completed_at_ms = 1700000000123,
                                     .traceparent = "00-trace"};
    must_accept(&driver, &item, 1);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_ACCEPTED);
    assert_int_equal(driver.accepted[0].state, DELIVERY_PENDING);
    assert_null(driver.accepted[0].event_id); /* its own */

    const struct application *application = must_get(&driver, "A");
    char fingerprint[SEEK_TOKEN_FINGERPRINT_BYTES];
    seek_token_fingerprint("token", 5, fingerprint);
    assert_non_null(application);
    assert_string_equal(application->id, "A");
    assert_string_equal(application->event_id, "event");
    assert_string_equal(application->token_fingerprint, fingerprint);
    assert_string_equal(application->traceparent, "00-trace");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_int_equal(application->completed_at_ms, 1700000000123);
    assert_in_range(application->accepted_at_ms, before_ms, clock_wall_ms());
    assert_int_equal(application->token_received_at_ms, application->accepted_at_ms);
    assert_int_equal(application->next_attempt_at_ms, application->accepted_at_ms);
    assert_int_equal(application->attempts, 0);
    assert_string_equal(application->last_class, "");
    assert_false(expires());
}

static void takes_now_for_completed(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->completed_at_ms, application->accepted_at_ms);
}

static void sends_the_same_pair_once(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "first");
    assert_int_equal(must_accept_one(&driver, "A", "token", "second"), ACCEPT_DUPLICATE);
    assert_string_equal(driver.accepted[0].event_id, "first");
    assert_int_equal(driver.accepted[0].state, DELIVERY_PENDING);
    must_count(&driver, 1, 0);
}

static void knows_a_duplicate_after_the_end(void **state)
{
    (void)state;
    static const struct {
        enum settle_action action;
        enum delivery_state state;
    } ends[] = {{SETTLE_DELIVERED, DELIVERY_DELIVERED}, {SETTLE_DEAD, DELIVERY_DEAD}};
    for (size_t i = 0; i < 2; i++) {
        must_forget(&driver, "A");
        must_accept_one(&driver, "A", "token", "first");
        must_end(ends[i].action);
        assert_int_equal(must_accept_one(&driver, "A", "token", "second"), ACCEPT_DUPLICATE);
        assert_int_equal(driver.accepted[0].state, ends[i].state);
        assert_int_equal(must_accept_one(&driver, "A", NULL, "second"), ACCEPT_DUPLICATE);
        must_count(&driver, 0, ends[i].state == DELIVERY_DEAD ? 1 : 0);
    }
}

static void replaces_an_older_token(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "first");
    must_end(SETTLE_DEAD);
    assert_int_equal(must_accept_one(&driver, "A", "newer", "second"), ACCEPT_REPLACED);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_string_equal(application->event_id, "second");
    assert_string_equal(application->last_class, "");
    assert_string_equal(application->last_code, "");
    assert_int_equal(application->attempts, 0);
    assert_int_equal(application->died_at_ms, 0);
    must_count(&driver, 1, 0);
    assert_string_equal(must_claim_one(&driver).seek_token, "newer");
}

static void takes_up_a_delivered_application(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "first");
    must_end(SETTLE_DELIVERED);
    assert_true(expires());
    assert_int_equal(must_accept_one(&driver, "A", "newer", "second"), ACCEPT_REPLACED);
    assert_false(expires());
    assert_int_equal(must_get(&driver, "A")->delivered_at_ms, 0);
}

static void needs_a_token(void **state)
{
    (void)state;
    assert_int_equal(must_accept_one(&driver, "A", NULL, "event"), ACCEPT_NO_TOKEN);
    assert_null(must_get(&driver, "A"));
    must_count(&driver, 0, 0);
}

static void treats_a_batch_like_single_events(void **state)
{
    (void)state;
    const struct accept_item items[] = {
        {"A", "older", "e1", -1, NULL, 0, 0}, {"B", NULL, "e2", -1, NULL, 0, 0},
        {"A", "older", "e3", -1, NULL, 0, 0}, {"A", "newer", "e4", -1, NULL, 0, 0},
        {"C", "token", "e5", -1, NULL, 0, 0},
    };
    must_accept(&driver, items, 5);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_ACCEPTED);
    assert_int_equal(driver.accepted[1].outcome, ACCEPT_NO_TOKEN);
    assert_int_equal(driver.accepted[2].outcome, ACCEPT_DUPLICATE);
    assert_string_equal(driver.accepted[2].event_id, "e1");
    assert_int_equal(driver.accepted[3].outcome, ACCEPT_REPLACED);
    assert_int_equal(driver.accepted[4].outcome, ACCEPT_ACCEPTED);
    must_count(&driver, 2, 0);
    assert_string_equal(field("token"), "newer");
}

static void takes_a_thousand_events_at_once(void **state)
{
    (void)state;
    enum { COUNT = 1000, BYTES = 16 };
    static char ids[COUNT][BYTES];
    static char token[SEEK_TOKEN_BYTES_MAX + 1];
    struct accept_item *items = calloc(COUNT, sizeof *items);
    memset(token, 't', SEEK_TOKEN_BYTES_MAX);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(ids[i], BYTES, "A-%d", i);
        items[i] = (struct accept_item){ids[i], token, "event", -1, NULL, 0, 0};
    }
    struct error error;
    assert_true(store_accept(driver.store, items, DRIVER_ITEMS_MAX, 0, driver_accept_done, &driver,
                             &error));
    driver_settle_down(&driver);
    assert_true(store_accept(driver.store, items, COUNT, 0, driver_accept_done, &driver, &error));
    driver_settle_down(&driver);
    free(items);
    assert_int_equal(driver.failure.status, STORE_OK);
    assert_int_equal(driver.count, COUNT);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_DUPLICATE);
    must_count(&driver, COUNT, 0);
}

static void keeps_every_byte(void **state)
{
    (void)state;
    static const char id[] = "\xc3\x84 {0}:' \" $ \\ 7", token[] = "a=b&c/d+e'\"\\{}%\xc3\xa9";
    must_accept_one(&driver, id, token, "event");
    struct claim claim = must_claim_one(&driver);
    assert_string_equal(claim.application_id, id);
    assert_string_equal(claim.seek_token, token);
    assert_string_equal(must_get(&driver, id)->id, id);
}

/* --- drafts --- */

static void keeps_the_token_of_a_draft(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "token", "unused");
    const struct application *draft = must_get(&driver, "A");
    assert_int_equal(draft->state, DELIVERY_DRAFT);
    assert_string_equal(draft->event_id, "");
    assert_true(draft->token_received_at_ms > 0);
    assert_int_equal(draft->accepted_at_ms, 0);
    int64_t received_at_ms = draft->token_received_at_ms;
    assert_true(expires());
    must_count(&driver, 0, 0);

    assert_int_equal(must_accept_one(&driver, "A", NULL, "event"), ACCEPT_ACCEPTED);
    assert_int_equal(must_get(&driver, "A")->token_received_at_ms, received_at_ms);
    assert_false(expires());
    assert_string_equal(must_claim_one(&driver).seek_token, "token");
}

static void prefers_the_events_token(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "drafted", "unused");
    assert_int_equal(must_accept_one(&driver, "A", "posted", "event"), ACCEPT_ACCEPTED);
    assert_string_equal(must_claim_one(&driver).seek_token, "posted");
}

static void lets_a_draft_live_on(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "token", "unused");
    (void)redis_server_cli(server, "PEXPIRE " KEY("A") " 60000");
    must_put_token(&driver, "A", "token", "unused");
    assert_true(atoi(redis_server_cli(server, "TTL " KEY("A"))) > 3000);
    must_put_token(&driver, "A", "newer", "unused");
    assert_string_equal(field("token"), "newer");
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_DRAFT);
}

static void owes_the_signal_again(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "first");
    int64_t completed_at_ms = must_get(&driver, "A")->completed_at_ms;
    must_end(SETTLE_DEAD);
    must_put_token(&driver, "A", "older", "unused");
    assert_int_equal(must_get(&driver, "A")->state, DELIVERY_DEAD);
    must_put_token(&driver, "A", "newer", "second");
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_string_equal(application->event_id, "second");
    assert_int_equal(application->completed_at_ms, completed_at_ms);
    assert_int_equal(application->attempts, 0);
    must_count(&driver, 1, 0);
}

static void becomes_a_draft_again(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "older", "first");
    must_end(SETTLE_DELIVERED);
    must_put_token(&driver, "A", "newer", "unused");
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_DRAFT);
    assert_int_equal(application->delivered_at_ms, 0);
    assert_string_equal(application->event_id, "");
    must_count(&driver, 0, 0);
    assert_true(expires());
}

/* --- replay, forget --- */

static void replays_the_dead(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    must_end(SETTLE_DEAD);
    must_count(&driver, 0, 1);
    assert_int_equal(must_replay(&driver, "A"), REPLAY_SCHEDULED);
    must_count(&driver, 1, 0);
    const struct application *application = must_get(&driver, "A");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_true(application->replayed_at_ms > 0);
    assert_int_equal(application->died_at_ms, 0);
    assert_string_equal(application->last_code, "FORBIDDEN");
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(claim.attempt, 2);
    assert_string_equal(claim.event_id, "event");
}

static void replays_what_waits(void **state)
{
    (void)state;
    static const struct verdict verdict = {.class = VERDICT_TRANSIENT};
    must_accept_one(&driver, "A", "token", "event");
    struct claim claim = must_claim_one(&driver);
    must_settle(&driver, "A", claim.generation, SETTLE_RETRY, 100000, &verdict);
    assert_int_equal(must_claim(&driver, 1), 0);
    assert_int_equal(must_replay(&driver, "A"), REPLAY_SCHEDULED);
    assert_int_equal(must_claim(&driver, 1), 1);
}

static void does_not_replay_the_rest(void **state)
{
    (void)state;
    assert_int_equal(must_replay(&driver, "A"), REPLAY_UNKNOWN);
    must_put_token(&driver, "A", "token", "unused");
    assert_int_equal(must_replay(&driver, "A"), REPLAY_DRAFT);
    must_accept_one(&driver, "A", NULL, "event");
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(must_replay(&driver, "A"), REPLAY_SENDING);
    static const struct verdict verdict = {.class = VERDICT_DELIVERED};
    must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &verdict);
    assert_int_equal(must_replay(&driver, "A"), REPLAY_DELIVERED);
    must_count(&driver, 0, 0);
}

static void forgets_for_good(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "token", "event");
    assert_true(must_forget(&driver, "A"));
    assert_false(must_forget(&driver, "A"));
    assert_false(must_forget(&driver, "never seen"));
    assert_null(must_get(&driver, "A"));
    must_count(&driver, 0, 0);
    assert_string_equal(redis_server_cli(server, "--raw KEYS '*' | sort"),
                        "seek-signal:{0}:layout\nseek-signal:{0}:shards");
}

static void tells_how_late_it_is(void **state)
{
    (void)state;
    must_count(&driver, 0, 0);
    assert_int_equal(driver.census.oldest_due_age_ms, 0);
    must_accept_one(&driver, "A", "token", "event");
    (void)redis_server_cli(server, "ZINCRBY 'seek-signal:{0}:due' -5000 A");
    must_count(&driver, 1, 0);
    assert_in_range(driver.census.oldest_due_age_ms, 5000, 15000);
}

static void says_what_is_wrong_with_a_key(void **state)
{
    (void)state;
    (void)redis_server_cli(server, "SET 'seek-signal:{0}:due' text");
    const struct accept_item item = {"A", "secret-token", "event", -1, NULL, 0, 0};
    struct error error;
    assert_true(store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    assert_non_null(strstr(driver.failure.detail, "WRONGTYPE"));
    assert_null(strstr(driver.failure.detail, "secret-token"));
}

static void knows_a_replaced_token_again(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "first", "e1");
    assert_int_equal(must_accept_one(&driver, "A", "second", "e2"), ACCEPT_REPLACED);
    assert_int_equal(must_accept_one(&driver, "A", "first", "e3"), ACCEPT_DUPLICATE);
    assert_string_equal(driver.accepted[0].event_id, "e2");
    assert_int_equal(driver.accepted[0].state, DELIVERY_PENDING);
    must_put_token(&driver, "A", "first", "e4");
    assert_string_equal(must_claim_one(&driver).seek_token, "second");
    assert_int_equal(must_accept_one(&driver, "B", "first", "e5"), ACCEPT_ACCEPTED);
    must_forget(&driver, "A");
    assert_int_equal(must_accept_one(&driver, "A", "first", "e6"), ACCEPT_ACCEPTED);
}

static void knows_the_last_five_replaced_tokens(void **state)
{
    (void)state;
    static const char *const tokens[] = {"0", "1", "2", "3", "4", "5", "6"};
    for (size_t i = 0; i < 7; i++)
        must_accept_one(&driver, "A", tokens[i], "event");
    for (size_t i = 1; i < 7; i++)
        assert_int_equal(must_accept_one(&driver, "A", tokens[i], "event"), ACCEPT_DUPLICATE);
    assert_int_equal(must_accept_one(&driver, "A", "0", "event"), ACCEPT_REPLACED);
    assert_string_equal(redis_server_cli(server, "--raw OBJECT ENCODING 'seek-signal:{0}:app:A'"),
                        "listpack");
    assert_string_equal(redis_server_cli(server, "--raw HSTRLEN 'seek-signal:{0}:app:A' replaced"),
                        "60");
}

/* Only events make a pair that is known. */
static void takes_the_first_event_of_an_older_draft(void **state)
{
    (void)state;
    must_put_token(&driver, "A", "first", "e1");
    must_put_token(&driver, "A", "second", "e2");
    assert_int_equal(must_accept_one(&driver, "A", "first", "e3"), ACCEPT_ACCEPTED);
    assert_string_equal(must_claim_one(&driver).seek_token, "first");
}

static void leaves_a_newer_draft_alone(void **state)
{
    (void)state;
    must_accept_one(&driver, "A", "first", "e1");
    must_end(SETTLE_DELIVERED);
    must_put_token(&driver, "A", "second", "e2");
    assert_int_equal(must_accept_one(&driver, "A", "first", "e3"), ACCEPT_DUPLICATE);
    assert_int_equal(driver.accepted[0].state, DELIVERY_DRAFT);
    assert_string_equal(driver.accepted[0].event_id, "e3");
    assert_int_equal(must_claim(&driver, 4), 0);
    assert_int_equal(must_accept_one(&driver, "A", NULL, "e4"), ACCEPT_ACCEPTED);
    assert_string_equal(must_claim_one(&driver).seek_token, "second");
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("accepts an event and shows it", accepts_an_event),
        SPEC("takes the moment of acceptance when none is given", takes_now_for_completed),
        SPEC("sends the same application and seek-token once", sends_the_same_pair_once),
        SPEC("knows a duplicate after delivery and death", knows_a_duplicate_after_the_end),
        SPEC("replaces an older seek-token and starts afresh", replaces_an_older_token),
        SPEC("takes up a delivered application for a newer seek-token",
             takes_up_a_delivered_application),
        SPEC("accepts nothing without a seek-token", needs_a_token),
        SPEC("treats the events of a batch like single ones, in order",
             treats_a_batch_like_single_events),
        SPEC("takes a thousand long events in one call", takes_a_thousand_events_at_once),
        SPEC("keeps every byte of ids and seek-tokens", keeps_every_byte),
        SPEC("keeps a draft's seek-token for the event", keeps_the_token_of_a_draft),
        SPEC("prefers the event's own seek-token", prefers_the_events_token),
        SPEC("lets a draft live on when its seek-token comes again", lets_a_draft_live_on),
        SPEC("owes the signal again when a completed application gets a newer seek-token",
             owes_the_signal_again),
        SPEC("makes a delivered application a draft again", becomes_a_draft_again),
        SPEC("replays the dead; attempts go on counting", replays_the_dead),
        SPEC("replays at once what waits for its next attempt", replays_what_waits),
        SPEC("does not replay a draft, what is sent or delivered, or nothing",
             does_not_replay_the_rest),
        SPEC("knows a seek-token that was replaced", knows_a_replaced_token_again),
        SPEC("knows the last five of them, and no more", knows_the_last_five_replaced_tokens),
        SPEC("takes the first event of an older draft", takes_the_first_event_of_an_older_draft),
        SPEC("leaves a newer draft alone when an event is repeated", leaves_a_newer_draft_alone),
        SPEC("forgets an application for good", forgets_for_good),
        SPEC("tells how late the oldest is", tells_how_late_it_is),
        SPEC("says what is wrong with a key, and no seek-token", says_what_is_wrong_with_a_key),
    };
    return cmocka_run_group_tests_name("applications", tests, store_stand_begin,
                                       store_stand_finish);
}
