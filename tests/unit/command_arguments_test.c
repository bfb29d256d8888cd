/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/command/arguments.h"

#include "tests/support/specification.h"

enum {
    EVERYTHING =
        TAKES_ID | TAKES_JSON | TAKES_CODE | TAKES_LIMIT | TAKES_DRY_RUN | TAKES_PER_SECOND,
    WORDS_MAX = 12
};

static char words[512];
static char *list[WORDS_MAX];

/* Words between spaces. */
static int split(const char *text)
{
    int count = 0;
    (void)strncpy(words, text, sizeof words - 1);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        list[count++] = word;
    return count;
}

static void takes_its_own_and_leaves_the_settings(void **state)
{
    (void)state;
    struct command_arguments out;
    struct error error;
    int count = split(
        "--listen unix:/a --code X A-1 --json --workers=3 --limit=7 --dry-run --per-second 20");
    assert_true(command_arguments_take(EVERYTHING, &count, list, &out, &error));
    assert_string_equal(out.id, "A-1");
    assert_string_equal(out.code, "X");
    assert_int_equal(out.limit, 7);
    assert_int_equal(out.per_second, 20);
    assert_true(out.is_json && out.is_dry_run);
    assert_int_equal(count, 3);
    assert_string_equal(list[0], "--listen");
    assert_string_equal(list[1], "unix:/a");
    assert_string_equal(list[2], "--workers=3");
}

static void a_settings_value_is_its_own(void **state)
{
    (void)state;
    struct command_arguments out;
    struct error error;
    int count = split("--user-agent --json");
    assert_true(command_arguments_take(EVERYTHING, &count, list, &out, &error));
    assert_false(out.is_json);
    assert_int_equal(count, 2);
}

/* An application may have any id. */
static void takes_what_follows_two_hyphens_for_an_id(void **state)
{
    (void)state;
    struct command_arguments out;
    struct error error;
    int count = split("--listen unix:/a -- --json");
    assert_true(command_arguments_take(EVERYTHING, &count, list, &out, &error));
    assert_string_equal(out.id, "--json");
    assert_false(out.is_json);
    assert_int_equal(count, 2);
    count = split("--json --");
    assert_true(command_arguments_take(EVERYTHING, &count, list, &out, &error));
    assert_null(out.id);
    assert_int_equal(count, 0);
    count = split("--user-agent -- A-1");
    assert_true(command_arguments_take(EVERYTHING, &count, list, &out, &error));
    assert_string_equal(out.id, "A-1");
    assert_int_equal(count, 2);
}

static void refuses_an_empty_id(void **state)
{
    (void)state;
    struct command_arguments out;
    struct error error;
    char empty[] = "", *arguments[] = {empty};
    int count = 1;
    assert_false(command_arguments_take(TAKES_ID, &count, arguments, &out, &error));
    assert_string_equal(error.message, "the application's id is empty");
}

static void leaves_what_another_command_takes_to_the_settings(void **state)
{
    (void)state;
    struct command_arguments out;
    struct error error;
    int count = split("--dry-run");
    assert_true(command_arguments_take(TAKES_JSON, &count, list, &out, &error));
    assert_false(out.is_dry_run);
    assert_int_equal(count, 1); /* where it is refused as unknown */
}

static void refuses_what_cannot_be_meant(void **state)
{
    (void)state;
    static const struct {
        unsigned takes;
        const char *text;
    } cases[] = {
        {EVERYTHING, "--limit"},    {EVERYTHING, "--limit="},   {EVERYTHING, "--limit 0"},
        {EVERYTHING, "--limit -1"}, {EVERYTHING, "--limit 1x"}, {EVERYTHING, "--limit 99999999999"},
        {EVERYTHING, "--code"},     {EVERYTHING, "--code="},    {EVERYTHING, "--json=yes"},
        {EVERYTHING, "A-1 A-2"},    {TAKES_JSON, "A-1"},        {NEEDS_ID, ""},
        {NEEDS_ID, "--listen A-1"}, {EVERYTHING, "-- A-1 A-2"}, {TAKES_JSON, "-- A-1"},
        {NEEDS_ID, "--"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command_arguments out;
        struct error error;
        int count = split(cases[i].text);
        if (command_arguments_take(cases[i].takes, &count, list, &out, &error))
            fail_msg("took: %s", cases[i].text);
        assert_int_equal(error.kind, ERROR_CONFIG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("takes a command's own arguments and leaves the settings",
           takes_its_own_and_leaves_the_settings),
        IT("does not look into a setting's value", a_settings_value_is_its_own),
        IT("leaves what another command takes to the settings",
           leaves_what_another_command_takes_to_the_settings),
        IT("takes what follows -- for an id", takes_what_follows_two_hyphens_for_an_id),
        IT("refuses an empty id", refuses_an_empty_id),
        IT("refuses what cannot be meant", refuses_what_cannot_be_meant),
    };
    return cmocka_run_group_tests_name("command_arguments", tests, NULL, NULL);
}
