/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/domain/base64.h"

#include "tests/support/specification.h"

static void knows_the_standard_examples(void **state)
{
    (void)state;
    static const struct {
        const char *encoded, *plain;
    } cases[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"+/+/", "\xfb\xff\xbf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char plain[16];
        size_t length = 99;
        assert_true(base64_decode(cases[i].encoded, strlen(cases[i].encoded), plain, &length));
        assert_int_equal(length, strlen(cases[i].plain));
        assert_memory_equal(plain, cases[i].plain, length);
        char encoded[16];
        base64_encode(cases[i].plain, strlen(cases[i].plain), encoded);
        assert_string_equal(encoded, cases[i].encoded);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Z",      "Zg",   "Zg=",      "====", "Z===", "Zg==Zg==", "=Zg=",
        "Zm9v\n", "Z g=", "Zm9vYg=a", "-_-_", "Zh==", "Zm9=",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char plain[16];
        size_t length = 99;
        assert_false(base64_decode(cases[i], strlen(cases[i]), plain, &length));
        assert_int_equal(length, 99);
    }
}

static void refuses_a_nul(void **state)
{
    (void)state;
    char plain[16];
    size_t length = 99;
    assert_false(base64_decode("Zm9\0", 4, plain, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("encodes and decodes the examples of RFC 4648", knows_the_standard_examples),
        IT("refuses missing or wrong padding, other alphabets, line breaks, stray bits",
           refuses_everything_else),
        IT("refuses a NUL", refuses_a_nul),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
