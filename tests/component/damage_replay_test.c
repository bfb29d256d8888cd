/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Somebody else writes to the keys of what is dead: no claim meets it, and a replay tells of it. */
#include <stdio.h>
#include <string.h>

#include "tests/support/specification.h"
#include "tests/support/store_lists.h"
#include "tests/support/store_stand.h"
#include "tests/support/stored_fields.h"

#define BAD "'seek-signal:{0}:app:bad'"

/* clang-format off */
static const struct {
    const char *command, *told; /* "": it is sent as it is */
    bool is_sent, is_told_again;
} cases[] = {
    {"HDEL " BAD " token",      "token",    false, false},
    {"HSET " BAD " token ''",   "token",    false, false},
    {"HDEL " BAD " token p",    "state",    false, false},
    {"HDEL " BAD " event",      "event",    true,  false},
    {"HDEL " BAD " accepted",   "accepted", true,  false},
    {"HSET " BAD " p x",        "p",        true,  false},
    {"HDEL " BAD " p",          "state",    true,  false},
    {"SET " BAD " text",        "key",      false, true},
    {"HSET " BAD " foreign x",  "",         true,  false},
};
/* clang-format on */
enum { CASES = sizeof cases / sizeof cases[0] };

static void let_die(const char *id)
{
    static const struct verdict refused = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
    must_accept_one(&driver, id, "token", "1d3a9a54-2f0e-4c1b-9d7e-8a5100000000");
    struct claim claim = must_claim_one(&driver);
    assert_int_equal(must_settle(&driver, id, claim.generation, SETTLE_DEAD, 0, &refused), SETTLED);
}

/* Packed, but for the fields that the command takes out of it. */
static void damage(const char *command)
{
    if (strstr(command, " event") != NULL || strstr(command, " accepted") != NULL)
        stored_spread(server, "bad");
    (void)redis_server_cli(server, "%s", command);
}

static void must_stand_among_the_dead(bool is_of_another_type)
{
    must_count(&driver, 0, 1);
    must_list(LISTING_DEAD, "DAMAGED", 1);
    if (is_of_another_type)
        return;
    const struct application *application = must_get(&driver, "bad");
    assert_int_equal(application->state, DELIVERY_DEAD);
    assert_string_equal(application->last_class, "damaged");
    assert_true(application->died_at_ms > 0);
}

static void tells_of_the_one_that_is_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        print_message("%s\n", cases[i].command);
        let_die("bad");
        damage(cases[i].command);
        assert_int_equal(must_replay(&driver, "bad"),
                         cases[i].is_sent ? REPLAY_SCHEDULED : REPLAY_DAMAGED);
        assert_string_equal(driver.replay_damage, cases[i].told);
        if (cases[i].is_sent) {
            assert_string_equal(must_claim_one(&driver).application_id, "bad");
            assert_int_equal(driver.claimed.damaged_count, 0);
        } else {
            must_stand_among_the_dead(cases[i].is_told_again);
            assert_int_equal(must_replay(&driver, "bad"), REPLAY_DAMAGED);
            assert_string_equal(driver.replay_damage, cases[i].is_told_again ? cases[i].told : "");
        }
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void tells_of_those_among_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        print_message("%s\n", cases[i].command);
        char told[64] = "";
        let_die("bad");
        let_die("good");
        damage(cases[i].command);
        must_replay_dead(cases[i].is_sent ? 2 : 1);
        if (cases[i].told[0] != '\0')
            (void)snprintf(told, sizeof told, "bad %s", cases[i].told);
        assert_string_equal(seen.damaged, told);
        if (!cases[i].is_sent) {
            must_count(&driver, 1, 1);
            must_replay_dead(0);
            assert_string_equal(seen.damaged, cases[i].is_told_again ? told : "");
        }
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

/* The code that it died with is lost with the rest. */
static void tells_of_one_whose_code_is_lost(void **state)
{
    (void)state;
    static const char *const lost[] = {"SET " BAD " text", "HDEL " BAD " token p"};
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        print_message("%s\n", lost[i]);
        let_die("bad");
        damage(lost[i]);
        must_replay_code("FORBIDDEN", true, 0);
        assert_string_equal(seen.damaged, "");
        must_replay_code("FORBIDDEN", false, 0);
        assert_string_equal(seen.damaged, i == 0 ? "bad key" : "bad state");
        must_stand_among_the_dead(i == 0);
        (void)store_stand_stop(NULL);
        (void)store_stand_start(NULL);
    }
}

static void leaves_it_to_the_next_claim_where_that_meets_it(void **state)
{
    (void)state;
    must_accept_one(&driver, "bad", "token", "event");
    damage("SET " BAD " text");
    assert_int_equal(must_replay(&driver, "bad"), REPLAY_DAMAGED);
    assert_string_equal(driver.replay_damage, "");
    assert_int_equal(must_claim(&driver, 16), 0);
    assert_int_equal(driver.claimed.damaged_count, 1);
}

int main(void)
{
#define SPEC(sentence, function) IT_WITH(sentence, function, store_stand_start, store_stand_stop)
    const struct CMUnitTest tests[] = {
        SPEC("tells of a damaged one that is replayed", tells_of_the_one_that_is_asked_for),
        SPEC("tells of the damaged ones among those that are replayed", tells_of_those_among_all),
        SPEC("tells of one whose code is lost, and changes nothing in a dry run",
             tells_of_one_whose_code_is_lost),
        SPEC("leaves to a claim what that meets", leaves_it_to_the_next_claim_where_that_meets_it),
    };
    return cmocka_run_group_tests_name("damage_replay", tests, store_stand_begin,
                                       store_stand_finish);
}
