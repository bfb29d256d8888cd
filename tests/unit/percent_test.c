/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/percent.h"

#include "tests/support/specification.h"

static void decodes_escapes_once(void **state)
{
    (void)state;
    static const struct {
        const char *text, *decoded;
    } cases[] = {
        {"", ""},       {"A-1", "A-1"},          {"A%2F1", "A/1"}, {"A%252F1", "A%2F1"},
        {"a+b", "a+b"}, {"%E2%82%ac", "\u20ac"}, {"%41%61", "Aa"},
    };
    char out[16];
    size_t length;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        assert_int_equal(percent_decode(text, strlen(text), out, sizeof out, &length),
                         PERCENT_DECODED);
        assert_string_equal(out, cases[i].decoded);
        assert_int_equal(length, strlen(cases[i].decoded));
    }
    assert_int_equal(percent_decode("a%00b", 5, out, sizeof out, &length), PERCENT_DECODED);
    assert_int_equal(length, 3); /* for the caller to refuse */
}

static void refuses_bad_escapes(void **state)
{
    (void)state;
    static const char *const texts[] = {"%", "%4", "A%", "A%4", "%G1", "%1G", "%-1", "% 1"};
    char out[16];
    size_t length;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(percent_decode(texts[i], strlen(texts[i]), out, sizeof out, &length),
                         PERCENT_BROKEN);
    /* An escape must not be read past the text. */
    assert_int_equal(percent_decode("%41", 2, out, sizeof out, &length), PERCENT_BROKEN);
}

static void respects_the_room(void **state)
{
    (void)state;
    char out[4];
    size_t length;
    assert_int_equal(percent_decode("%41%42%43", 9, out, sizeof out, &length), PERCENT_DECODED);
    assert_string_equal(out, "ABC");
    assert_int_equal(percent_decode("ABCD", 4, out, sizeof out, &length), PERCENT_TOO_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("decodes exactly once", decodes_escapes_once),
        IT("refuses escapes that are cut or not hexadecimal", refuses_bad_escapes),
        IT("writes no more than fits", respects_the_room),
    };
    return cmocka_run_group_tests_name("percent", tests, NULL, NULL);
}
