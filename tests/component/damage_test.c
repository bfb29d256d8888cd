/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Somebody else writes to the keys of a real redis-server: what is damaged is set aside, and the
 * others go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_lists.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

#define BAD "'seek-signal:{0}:app:bad'"
#define NINES "99999999999999999999999999"

static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};

/* Of most fields it can only be said where they lie by themselves, as layout 1 has them. */
static void damage(const char *command)
{
    bool is_packed = strstr(command, BAD " p") != NULL;
    bool is_hash = strcmp(redis_server_cli(server, "--raw TYPE " BAD), "hash") == 0;
    if (is_hash && !is_packed)
        stored_spread(server, "bad");
    (void)redis_server_cli(server, "%s", command);
}

/* --- one is damaged --- */

enum way_back { REPLAYED, POSTED_ANEW, FORGOTTEN };

/* clang-format off */
static const struct {
    const char *command, *field;
    enum way_back way_back;
} cases[] = {
    {"HDEL " BAD " event",                    "event",     REPLAYED},
    {"HDEL " BAD " accepted",                 "accepted",  REPLAYED},
    {"HDEL " BAD " token",                    "token",     POSTED_ANEW},
    {"HDEL " BAD " state",                    "state",     REPLAYED},
    {"HSET " BAD " state banana",             "state",     REPLAYED},
    {"HSET " BAD " state ''",                 "state",     REPLAYED},
    {"HSET " BAD " token ''",                 "token",     POSTED_ANEW},
    {"HSET " BAD " token $(printf '%05000d' 0)", "token",  POSTED_ANEW},
    {"HSET " BAD " event ''",                 "event",     REPLAYED},
    {"HSET " BAD " event $(printf '%060d' 0)", "event",    REPLAYED},
    {"HSET " BAD " accepted x",               "accepted",  REPLAYED},
    {"HSET " BAD " accepted -1",              "accepted",  REPLAYED},
    {"HSET " BAD " accepted nan",             "accepted",  REPLAYED},
    {"HSET " BAD " attempts many",            "attempts",  REPLAYED},
    {"HSET " BAD " replayed x",               "replayed",  REPLAYED},
    {"HSET " BAD " replayed 1700000000000 accepted x", "accepted", REPLAYED},
    {"HDEL " BAD " p",                        "state",     REPLAYED},
    {"HSET " BAD " p x",                      "p",         REPLAYED},
    {"HSET " BAD " p ''",                     "p",         REPLAYED},
    {"HSET " BAD " p $(printf '%045d' 0)",    "p",         REPLAYED},
    {"SET " BAD " text",                      "key",       FORGOTTEN},
    {"EVAL \"redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'a')\" 1 " BAD,    "key", FORGOTTEN},
    {"EVAL \"redis.call('DEL', KEYS[1]) redis.call('SADD', KEYS[1], 'a')\" 1 " BAD,     "key", FORGOTTEN},
    {"EVAL \"redis.call('DEL', KEYS[1]) redis.call('ZADD', KEYS[1], 1, 'a')\" 1 " BAD,  "key", FORGOTTEN},
};
/* clang-format on */
enum { CASES = sizeof cases / sizeof cases[0] };

/* Fields on which it does not depend what is sent. */
static const char *const harmless[] = {
    "HSET " BAD " gen " NINES,
    "HSET " BAD " gen 0x1p9",
    "HSET " BAD " lease banana",
    "HSET " BAD " spooled soon",
    "HSET " BAD " received 1e3",
    "HSET " BAD " tried x",
    "HSET " BAD " http ok",
    "HSET " BAD " history $(printf '%09000d' 0)",
    "HSET " BAD " replaced $(printf '%09000d' 0)",
    "HSET " BAD " replaced x",
    "HSET " BAD " class $(printf '%09000d' 0)",
    "HSET " BAD " foreign field",
    "HDEL " BAD " completed",
};
enum { HARMLESS = sizeof harmless / sizeof harmless[0] };

static const struct claim *claim_of(const char *id)
{
    for (size_t i = 0; i < driver.claimed.count; i++) {
        if (strcmp(driver.claims[i].application_id, id) == 0)
            return &driver.claims[i];
    }
    fail_msg("%s is not claimed", id);
    return NULL;
}

static void must_deliver(const char *id)
{
    assert_int_equal(
        must_settle(&driver, id, claim_of(id)->generation, SETTLE_DELIVERED, 0, &delivered),
        SETTLED);
}

static void must_be_set_aside(const char *field)
{
    assert_int_equal(driver.claimed.damaged_count, 1);
    assert_string_equal(driver.damaged[0].application_id, "bad");
    assert_string_equal(driver.damaged[0].field, field);
    const struct application *application = must_get(&driver, "bad");
    assert_non_null(application);
    assert_int_equal(application->state, DELIVERY_DEAD);
    assert_string_equal(application->last_class, "damaged");
    assert_string_equal(application->last_code, "DAMAGED");
    assert_true(application->died_at_ms > 0);
    must_list(LISTING_DEAD, "DAMAGED", 1);
    assert_string_equal(seen.id, "bad");
    must_list(LISTING_DUE, NULL, 0);
}

/* Whatever was damaged, in the end it can be sent. */
static void must_come_back(enum way_back way_back)
{
    if (way_back == REPLAYED) {
        assert_int_equal(must_replay(&driver, "bad"), REPLAY_SCHEDULED);
    } else {
        assert_int_equal(must_replay(&driver, "bad"), REPLAY_DAMAGED);
        if (way_back == FORGOTTEN) {
            assert_int_equal(must_accept_one(&driver, "bad", "token", "e4"), ACCEPT_DAMAGED);
            must_forget(&driver, "bad");
            must_count(&driver, 0, 0);
        }
        assert_in_range(must_accept_one(&driver, "bad", "token", "e4"), ACCEPT_ACCEPTED,
                        ACCEPT_REPLACED);
        assert_int_not_equal(driver.accepted[0].outcome, ACCEPT_DUPLICATE);
    }
    struct claim claim = must_claim_one(&driver);
    assert_string_equal(claim.application_id, "bad");
    assert_string_equal(claim.seek_token, "token");
    assert_string_not_equal(claim.event_id, "");
    assert_int_equal(must_settle(&driver, "bad", claim.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
    assert_int_equal(must_get(&driver, "bad")->state, DELIVERY_DELIVERED);
}

static void sets_aside_what_is_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        print_message("%s\n", cases[i].command);
        must_accept_one(&driver, "good", "token", "e1");
        must_accept_one(&driver, "bad", "token", "e2");
        must_accept_one(&driver, "also good", "token", "e3");
        damage(cases[i].command);
        assert_int_equal(must_claim(&driver, 16), 2);
        must_deliver("good");
        must_deliver("also good");
        must_claim(&driver, 0);
        assert_int_equal(driver.claimed.damaged_count, 0); /* told once */
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void shows_and_repairs_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        print_message("%s\n", cases[i].command);
        must_accept_one(&driver, "bad", "token", "e2");
        damage(cases[i].command);
        assert_int_equal(must_claim(&driver, 16), 0);
        must_be_set_aside(cases[i].field);
        must_come_back(cases[i].way_back);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void repairs_it_with_a_new_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        if (cases[i].way_back == FORGOTTEN)
            continue;
        print_message("%s\n", cases[i].command);
        must_accept_one(&driver, "bad", "token", "e2");
        damage(cases[i].command);
        assert_int_equal(must_claim(&driver, 16), 0);
        assert_int_equal(must_accept_one(&driver, "bad", "token", "e4"), ACCEPT_REPLACED);
        struct claim claim = must_claim_one(&driver);
        assert_string_equal(claim.event_id, "e4");
        must_count(&driver, 1, 0);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void forgets_it_always(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        for (unsigned is_aside = 0; is_aside < 2; is_aside++) {
            must_accept_one(&driver, "bad", "token", "e2");
            damage(cases[i].command);
            assert_int_equal(must_claim(&driver, is_aside * 16), 0);
            must_forget(&driver, "bad");
            must_count(&driver, 0, 0);
            assert_null(must_get(&driver, "bad"));
        }
    }
}

static void forgets_a_lease_without_a_generation(void **state)
{
    (void)state;
    must_accept_one(&driver, "bad", "token", "e1");
    (void)must_claim_one(&driver);
    must_accept_one(&driver, "bad", "newer", "e2");
    damage("HDEL " BAD " gen");
    must_forget(&driver, "bad");
    assert_null(must_get(&driver, "bad"));
    must_accept_one(&driver, "bad", "newest", "e3"); /* waits for the lease */
    assert_int_equal(must_claim(&driver, 16), 0);
    (void)redis_server_cli(server, "ZADD seek-signal:{0}:due 1 bad");
    assert_string_equal(must_claim_one(&driver).seek_token, "newest");
}

/* Of which nothing is left but times: nothing is owed, and nothing can be read or written back. It
 * lies farthest ahead in `due`, where a claim looks for a clock that was set back. */
static void claims_behind_what_is_known_by_its_times_alone(void **state)
{
    (void)state;
    must_accept_one(&driver, "other", "token", "event");
    (void)redis_server_cli(server, "HSET " BAD " replayed 4102444800000 tried 4102444800000");
    (void)redis_server_cli(server, "ZADD seek-signal:{0}:due 4102444800000 bad");
    assert_int_equal(must_claim(&driver, 16), 1);
    must_deliver("other");
    assert_in_range(atoll(redis_server_cli(server, "ZSCORE seek-signal:{0}:due bad")), 1,
                    4102444799999);
}

/* A clock that was set back seems to be what its times lie ahead for. */
static void sets_aside_what_lies_ahead_without_a_state(void **state)
{
    (void)state;
    must_accept_one(&driver, "good", "token", "e1");
    (void)redis_server_cli(server, "HSET " BAD " token t replayed 9000000000000");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' 9000000000000 bad");
    assert_int_equal(must_claim(&driver, 16), 1);
    assert_string_equal(driver.claims[0].application_id, "good");
    must_deliver("good");
    must_be_set_aside("state");
}

static void sends_what_can_be_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < HARMLESS; i++) {
        print_message("%s\n", harmless[i]);
        must_accept_one(&driver, "bad", "token", "event");
        damage(harmless[i]);
        struct claim claim = must_claim_one(&driver);
        assert_string_equal(claim.seek_token, "token");
        damage(harmless[i]);
        assert_int_equal(must_accept_one(&driver, "bad", "newer", "event"), ACCEPT_REPLACED);
        must_settle(&driver, "bad", claim.generation, SETTLE_DELIVERED, 0, &delivered);
        must_accept_one(&driver, "other", "token", "event");
        (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' XX 1 bad");
        assert_int_equal(must_claim(&driver, 16), 2);
        must_deliver("bad");
        must_deliver("other");
        assert_int_equal(must_get(&driver, "bad")->state, DELIVERY_DELIVERED);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

/* --- while it is sent --- */

static void settles_the_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        print_message("%s\n", cases[i].command);
        must_accept_one(&driver, "bad", "token", "e1");
        must_accept_one(&driver, "good", "token", "e2");
        assert_int_equal(must_claim(&driver, 16), 2);
        damage(cases[i].command);
        const struct settlement settlements[] = {
            {"bad", claim_of("bad")->generation, SETTLE_RELEASE, 0, NULL, NULL},
            {"bad", claim_of("bad")->generation, SETTLE_DELIVERED, 0, &delivered, NULL},
            {"good", claim_of("good")->generation, SETTLE_DELIVERED, 0, &delivered, NULL},
        };
        struct error error;
        for (size_t from = 0; from < 2; from++) {
            assert_true(store_settle(driver.store, settlements + from, 3 - from, driver_settle_done,
                                     &driver, &error));
            driver_settle_down(&driver);
            assert_int_equal(driver.failure.status, STORE_OK);
            assert_int_equal(driver.settled[2 - from], SETTLED);
        }
        assert_int_equal(must_get(&driver, "good")->state, DELIVERY_DELIVERED);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void records_what_came_of_one_without_a_state(void **state)
{
    (void)state;
    must_accept_one(&driver, "bad", "token", "e1");
    struct claim claim = must_claim_one(&driver);
    damage("HDEL " BAD " state attempts");
    assert_int_equal(must_settle(&driver, "bad", claim.generation, SETTLE_DELIVERED, 0, &delivered),
                     SETTLED);
    assert_int_equal(must_get(&driver, "bad")->state, DELIVERY_DELIVERED);
}

static void sets_aside_what_a_worker_cannot_send(void **state)
{
    (void)state;
    must_accept_one(&driver, "bad", "token", "e1");
    struct claim claim = must_claim_one(&driver);
    const struct settlement settlement = {"bad", claim.generation, SETTLE_DAMAGED, 0,
                                          NULL,  "event"};
    struct error error;
    assert_true(store_settle(driver.store, &settlement, 1, driver_settle_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.settled[0], SETTLED);
    const struct application *application = must_get(&driver, "bad");
    assert_int_equal(application->state, DELIVERY_DEAD);
    assert_string_equal(application->last_code, "DAMAGED");
    assert_non_null(strstr(application->last_message, "event"));
    assert_int_equal(must_replay(&driver, "bad"), REPLAY_SCHEDULED);
    assert_string_not_equal(must_claim_one(&driver).event_id, "e1");
}

/* --- each has its own answer --- */

static void answers_each_event_of_a_batch(void **state)
{
    (void)state;
    damage("SET " BAD " text");
    const struct accept_item items[] = {
        {"good", "token", "e1", -1, NULL, 0, 0},
        {"bad", "token", "e2", -1, NULL, 0, 0},
        {"also good", "token", "e3", -1, NULL, 0, 0},
    };
    must_accept(&driver, items, 3);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_ACCEPTED);
    assert_int_equal(driver.accepted[1].outcome, ACCEPT_DAMAGED);
    assert_int_equal(driver.accepted[2].outcome, ACCEPT_ACCEPTED);
    assert_int_equal(must_claim(&driver, 16), 2);
    assert_int_equal(driver.claimed.damaged_count, 1);
    assert_string_equal(driver.damaged[0].application_id, "bad");
    must_count(&driver, 2, 1);
}

static void refuses_a_draft_of_a_foreign_key(void **state)
{
    (void)state;
    damage("SET " BAD " text");
    const struct accept_item item = {"bad", "token", "e1", 0, NULL, 0, 0};
    struct error error;
    assert_true(store_put_token(driver.store, &item, driver_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_DAMAGED);
    assert_string_equal(redis_server_cli(server, "GET " BAD), "text");
}

static void keeps_drafts_of_what_was_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        if (cases[i].way_back == FORGOTTEN)
            continue;
        print_message("%s\n", cases[i].command);
        must_accept_one(&driver, "bad", "token", "e1");
        damage(cases[i].command);
        assert_int_equal(must_claim(&driver, 16), 0);
        must_put_token(&driver, "bad", "newer", "e2");
        assert_string_equal(must_claim_one(&driver).seek_token, "newer");
        must_forget(&driver, "bad");
        damage("DEL 'seek-signal:{0}:due' " BAD);
    }
}

static enum drain_outcome drained[3];

static void take_drained(void *context, const struct store_failure *failure,
                         const enum drain_outcome *outcomes, size_t count)
{
    (void)context;
    if (failure->status != STORE_OK)
        fail_msg("failed: %s", failure->detail);
    assert_int_equal(count, 3);
    memcpy(drained, outcomes, sizeof drained);
}

static void must_drain(enum drain_kind kind)
{
    struct drain_record records[3];
    static const char *const ids[] = {"good", "bad", "also good"};
    for (size_t i = 0; i < 3; i++)
        records[i] = (struct drain_record){.kind = kind,
                                           .application_id = ids[i],
                                           .seek_token = "spooled",
                                           .event_id = "event",
                                           .completed_at_ms = 1700000000123,
                                           .stamp_us = clock_wall_us() + (int64_t)i};
    struct error error;
    assert_true(store_drain(driver.store, records, 3, take_drained, NULL, &error));
    driver_settle_down(&driver);
}

static void drains_the_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * CASES; i++) {
        print_message("%s\n", cases[i / 2].command);
        must_accept_one(&driver, "bad", "token", "e1");
        damage(cases[i / 2].command);
        must_drain(i % 2 == 0 ? DRAIN_EVENT : DRAIN_DRAFT);
        bool is_foreign = cases[i / 2].way_back == FORGOTTEN;
        assert_int_equal(drained[0], DRAIN_APPLIED);
        assert_int_equal(drained[1], is_foreign ? DRAIN_DAMAGED : DRAIN_APPLIED);
        assert_int_equal(drained[2], DRAIN_APPLIED);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void replays_the_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        print_message("%s\n", cases[i].command);
        static const char *const ids[] = {"bad", "good"};
        for (size_t j = 0; j < 2; j++) {
            static const struct verdict refused = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
            must_accept_one(&driver, ids[j], "token", "event");
            must_settle(&driver, ids[j], must_claim_one(&driver).generation, SETTLE_DEAD, 0,
                        &refused);
        }
        damage(cases[i].command);
        must_list(LISTING_DEAD, NULL, 2);
        must_list(LISTING_DUE, NULL, 0);
        must_replay_dead(cases[i].way_back == REPLAYED ? 2 : 1);
        assert_int_equal(must_get(&driver, "good")->state, DELIVERY_PENDING);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("claims the others, and tells once of the one that is damaged",
             sets_aside_what_is_damaged),
        SPEC("shows what is damaged among the dead, and repairs what can be repaired",
             shows_and_repairs_it),
        SPEC("repairs what is damaged with a new event", repairs_it_with_a_new_event),
        SPEC("repairs what is damaged with a newer draft", keeps_drafts_of_what_was_damaged),
        SPEC("forgets what is damaged, whatever it is", forgets_it_always),
        SPEC("forgets an application whose lease has lost its generation",
             forgets_a_lease_without_a_generation),
        SPEC("claims the others where one has nothing but times, which lie ahead",
             claims_behind_what_is_known_by_its_times_alone),
        SPEC("sends what can be sent in spite of a damaged field", sends_what_can_be_sent),
        SPEC("settles the others", settles_the_others),
        SPEC("records what came of an attempt whose state is gone",
             records_what_came_of_one_without_a_state),
        SPEC("sets aside what a worker cannot send", sets_aside_what_a_worker_cannot_send),
        SPEC("sets aside what lies ahead and has no state",
             sets_aside_what_lies_ahead_without_a_state),
        SPEC("answers each event of a batch", answers_each_event_of_a_batch),
        SPEC("refuses a draft of a key that is something else", refuses_a_draft_of_a_foreign_key),
        SPEC("drains the others", drains_the_others),
        SPEC("lists and replays the others", replays_the_others),
    };
    return cmocka_run_group_tests_name("damage", tests, store_stand_begin, store_stand_finish);
}
