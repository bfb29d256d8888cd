/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Somebody else writes to what belongs to no application, or times and ids that the service never
 * writes. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_lists.h"
#include "tests/support/store_stand.h"

#define BAD "'seek-signal:{0}:app:bad'"

static const struct verdict delivered = {.class = VERDICT_DELIVERED, .http_status = 200};

static void damage(const char *command)
{
    (void)redis_server_cli(server, "%s", command);
}

/* --- what belongs to no application --- */

static void claims_in_spite_of_what_it_remembers(void **state)
{
    (void)state;
    static const struct {
        const char *command, *value;
    } others[] = {{"SET", "text"}, {"SET", "7"},        {"SET", "'[\"x\"]'"}, {"SET", "'[1,{},2]'"},
                  {"LPUSH", "a"},  {"SET", "'[1e99]'"}, {"SET", "'[100000]'"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        print_message("%s %s\n", others[i].command, others[i].value);
        char command[128], key[80];
        must_accept_one(&driver, "first", "token", "e1");
        assert_int_equal(must_claim(&driver, 1), 1);
        (void)snprintf(key, sizeof key, "%s",
                       redis_server_cli(server, "--raw KEYS 'seek-signal:{0}:claim:*'"));
        (void)redis_server_cli(server, "DEL '%s'", key);
        (void)snprintf(command, sizeof command, "%s '%s' %s", others[i].command, key,
                       others[i].value);
        damage(command);
        must_accept_one(&driver, "second", "token", "e2");
        assert_int_equal(must_claim(&driver, 4), 1);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void pauses_whatever_the_key_holds(void **state)
{
    (void)state;
    static const struct {
        const char *command, *value;
    } others[] = {{"SET", "yes"}, {"LPUSH", "a"}, {"SET", "''"}};
    must_accept_one(&driver, "A", "token", "event");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)redis_server_cli(server, "%s 'seek-signal:{0}:paused' %s", others[i].command,
                               others[i].value);
        assert_int_equal(must_claim(&driver, 4), 0);
        assert_true(driver.claimed.is_paused);
        must_count(&driver, 1, 0);
        assert_true(driver.census.paused_at_ms > 0);
        struct error error;
        for (unsigned is_paused = 2; is_paused-- > 0;) {
            assert_true(
                store_set_paused(driver.store, is_paused != 0, driver_done, &driver, &error));
            driver_settle_down(&driver);
            assert_int_equal(driver.failure.status, STORE_OK);
        }
        assert_int_equal(must_claim(&driver, 0), 0);
        assert_false(driver.claimed.is_paused);
    }
}

static void says_which_key_stops_everything(void **state)
{
    (void)state;
    static const char *const sets[] = {"seek-signal:{0}:due", "seek-signal:{0}:dead",
                                       "seek-signal:{0}:layout"};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        (void)redis_server_cli(server, "DEL '%s'", sets[i]);
        (void)redis_server_cli(server, "LPUSH '%s' a", sets[i]);
        struct driver other;
        driver_start(&other, server);
        struct store_health health = {.is_ready = true};
        int64_t deadline_ms = clock_monotonic_ms() + 5000;
        do {
            driver_turn(&other);
            store_health(other.store, &health);
        } while (strstr(health.reason, sets[i]) == NULL && clock_monotonic_ms() < deadline_ms);
        assert_false(health.is_ready);
        if (strstr(health.reason, sets[i]) == NULL)
            fail_msg("it says: %s", health.reason);
        (void)redis_server_cli(server, "DEL '%s'", sets[i]);
        driver_must_become(&other, true);
        driver_stop(&other);
    }
}

/* --- times and ids that nobody but somebody else writes --- */

static void repairs_times_that_are_none(void **state)
{
    (void)state;
    static const char *const times[] = {"inf", "-inf", "1e300", "-1e300", "9e15", "1.5", "-1"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        print_message("%s\n", times[i]);
        must_accept_one(&driver, "A", "token", "event");
        must_accept_one(&driver, "B", "token", "event");
        (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' %s A", times[i]);
        must_count(&driver, 2, 0);
        assert_true(driver.census.oldest_due_age_ms >= 0);
        size_t claimed = must_claim(&driver, 16);
        claimed += must_claim(&driver, 16);
        assert_int_equal(claimed, 2);
        static const struct verdict refused = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
        must_settle(&driver, "A", must_get(&driver, "A")->generation, SETTLE_DEAD, 0, &refused);
        must_settle(&driver, "B", must_get(&driver, "B")->generation, SETTLE_DEAD, 0, &refused);
        (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' %s A", times[i]);
        must_list(LISTING_DEAD, NULL, 2);
        must_replay_dead(2);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void drops_ids_that_are_none(void **state)
{
    (void)state;
    must_accept_one(&driver, "good", "token", "event");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' 1 \"$(printf 'a\\tb')\"");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' 1 \"$(printf '%%0300d' 0)\"");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' 1 \"$(printf '%%0300d' 0)\"");
    (void)redis_server_cli(server,
                           "HSET \"seek-signal:{0}:app:$(printf '%%0300d' 0)\" state pending "
                           "token t event e accepted 1");
    assert_int_equal(must_claim(&driver, 16), 1);
    assert_int_equal(driver.claimed.damaged_count, 1);
    must_count(&driver, 1, 1);
    must_list(LISTING_DEAD, NULL, 0);
    must_count(&driver, 1, 0);
}

static void shows_what_it_can(void **state)
{
    (void)state;
    must_accept_one(&driver, "bad", "token", "event");
    damage("EVAL \"for i = 1, 20000 do redis.call('HSET', KEYS[1], 'field-' .. i, 'x') end "
           "redis.call('HSET', KEYS[1], 'message', string.rep('x', 1000000))\" 1 " BAD);
    const struct application *application = must_get(&driver, "bad");
    assert_int_equal(application->state, DELIVERY_PENDING);
    assert_int_equal(strlen(application->last_message), 4096);
    must_list(LISTING_DUE, NULL, 1);
    assert_int_equal(must_claim(&driver, 16), 1);
    assert_int_equal(
        must_settle(&driver, "bad", driver.claims[0].generation, SETTLE_DELIVERED, 0, &delivered),
        SETTLED);
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("claims in spite of a last claim that cannot be read",
             claims_in_spite_of_what_it_remembers),
        SPEC("is paused whatever the key holds, and resumes", pauses_whatever_the_key_holds),
        SPEC("says which key stops everything, and goes on without it",
             says_which_key_stops_everything),
        SPEC("repairs times that are none", repairs_times_that_are_none),
        SPEC("drops ids that are none", drops_ids_that_are_none),
        SPEC("shows of foreign fields what it can", shows_what_it_can),
    };
    return cmocka_run_group_tests_name("damage_keys", tests, store_stand_begin, store_stand_finish);
}
