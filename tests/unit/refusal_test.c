/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/store/refusal.h"

#include "tests/support/specification.h"

static void knows_the_word_anywhere(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *word;
        bool is_elsewhere;
    } cases[] = {
        {"READONLY You can't write against a read only replica.", "READONLY", true},
        {"ERR READONLY You can't write", "READONLY", true},
        {"ERR Error running script (call to f_1): @user_script:7: @user_script: 7: -READONLY You "
         "can't",
         "READONLY", true},
        {"LOADING Redis is loading the dataset in memory", "LOADING", true},
        {"MASTERDOWN Link with MASTER is down", "MASTERDOWN", true},
        {"OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:9.",
         "OOM", false},
        {"MISCONF Redis is configured to save RDB snapshots", "MISCONF", false},
        {"NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", false},
        {"BUSY Redis is busy running a script.", "BUSY", false},
        {"NOPERM this user has no permissions to run the 'evalsha' command", "NOPERM", false},
        {"ERR The user executing the script can't run this command or subcommand",
         "The user executing the script", false},
        {"MOVED 3999 127.0.0.1:6381", "MOVED", false},
        {"ASK 3999 127.0.0.1:6381", "ASK ", false},
        {"TRYAGAIN Multiple keys request during rehashing of slot", "TRYAGAIN", false},
        {"ERR Script attempted to access a non local key in a cluster node script: f_1, "
         "@user_script:3.",
         "non local key", false},
        {"ERR unknown command 'CLUSTER', with args beginning with: 'SLOTS'",
         "unknown command 'CLUSTER'", false},
        {"ERR This instance has cluster support disabled", "cluster support disabled", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct refusal *refusal = refusal_of(cases[i].answer);
        assert_non_null(refusal->word);
        assert_string_equal(refusal->word, cases[i].word);
        assert_int_equal(refusal->is_elsewhere, cases[i].is_elsewhere);
    }
}

static void tells_an_unknown_error_as_it_is(void **state)
{
    (void)state;
    char text[160];
    refusal_describe("WRONGTYPE Operation against a key", text, sizeof text);
    assert_string_equal(text, "Redis answered: WRONGTYPE Operation against a key");
    assert_null(refusal_of("WRONGTYPE Operation against a key")->word);
}

static void never_repeats_arguments(void **state)
{
    (void)state;
    char text[160];
    refusal_describe("ERR unknown command 'EVALSHA', with args beginning with: 'abc' 'secret' ",
                     text, sizeof text);
    assert_string_equal(text, "Redis answered: ERR unknown command 'EVALSHA'");
}

static void cuts_what_is_too_long(void **state)
{
    (void)state;
    char text[20];
    refusal_describe("ERR something that goes on and on", text, sizeof text);
    assert_string_equal(text, "Redis answered: ERR");
}

static void knows_a_lost_script(void **state)
{
    (void)state;
    assert_true(refusal_is_unknown_script("NOSCRIPT No matching script. Please use EVAL."));
    assert_false(refusal_is_unknown_script("ERR NOSCRIPTS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("knows Redis's error word wherever it stands", knows_the_word_anywhere),
        IT("tells an unknown error as Redis does", tells_an_unknown_error_as_it_is),
        IT("never repeats arguments, which may be seek-tokens", never_repeats_arguments),
        IT("cuts a text that is too long", cuts_what_is_too_long),
        IT("knows that a script was lost", knows_a_lost_script),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
