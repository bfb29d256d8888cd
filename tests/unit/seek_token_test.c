/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "service/domain/seek_token.h"

#include "tests/support/failing_digest.h"
#include "tests/support/specification.h"

static void takes_what_seek_gives(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        "eyJqb2JJZCI6MCwiY2FuZGlkYXRlSWQiOjAsInNlc3Npb25JZCI6IiJ9",
        "globalPublicTest-WfRFAhG25YC8ADe3QvxAVz",
        "93WyyF1h6eaeb58ccc384b0e8353daa3011f1ece",
        "2JENkw7A6VpqExvEFvP8pG",
        "x",
        "a+b/c==",
        "\"quoted\\\"",
        "caf\xc3\xa9-\xe2\x82\xac-\xf0\x9f\x98\x80",
        "\xc2\xa1", /* the first character behind the no-break space */
        "100%",
        "%3",
        "%%3",
        "%G1",
        "%1G",
        "https:/",
        "http",
        "seek-token",
        "xhttps://x",
        "undefined-1",
        "nullable",
        "Null",
    };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct rejection rejection;
        assert_true(seek_token_check(tokens[i], strlen(tokens[i]), &rejection));
    }
}

static void refuses_what_is_never_right(void **state)
{
    (void)state;
    static const struct {
        const char *token;
        enum rejection_code code;
    } cases[] = {
        {"", REJECTED_NO_TOKEN},
        {" secret", REJECTED_TOKEN},
        {"secret ", REJECTED_TOKEN},
        {"sec ret", REJECTED_TOKEN},
        {"secret\n", REJECTED_TOKEN},
        {"sec\tret", REJECTED_TOKEN},
        {"sec\x01ret", REJECTED_TOKEN},
        {"secret\x7f", REJECTED_TOKEN},
        {"secret\xc2\x80", REJECTED_TOKEN},
        {"secret\xc2\xa0", REJECTED_TOKEN},
        {"secret\xff", REJECTED_TOKEN},
        {"secret\xc2", REJECTED_TOKEN},
        {"https://ats.example/apply?secret", REJECTED_TOKEN},
        {"HTTP://ats.example/apply?seek-token=secret", REJECTED_TOKEN},
        {"https://", REJECTED_TOKEN},
        {"/apply/77?seek-token=secret", REJECTED_TOKEN},
        {"seek-token=secret", REJECTED_TOKEN},
        {"undefined", REJECTED_TOKEN},
        {"null", REJECTED_TOKEN},
        {"None", REJECTED_TOKEN},
        {"nil", REJECTED_TOKEN},
        {"secret%3D", REJECTED_TOKEN_ENCODED},
        {"secret%3d", REJECTED_TOKEN_ENCODED},
        {"%2Bsecret", REJECTED_TOKEN_ENCODED},
        {"sec%20ret", REJECTED_TOKEN_ENCODED},
        {"secret%253D", REJECTED_TOKEN_ENCODED},
        {"%%41", REJECTED_TOKEN_ENCODED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        assert_false(seek_token_check(cases[i].token, strlen(cases[i].token), &rejection));
        assert_int_equal(rejection.code, cases[i].code);
        assert_string_equal(rejection.field, "token");
        assert_null(strstr(rejection.detail, "secret"));
        assert_null(strstr(rejection.remedy, "secret"));
        assert_in_range(strlen(rejection.detail), 1, sizeof rejection.detail - 2);
        assert_in_range(strlen(rejection.remedy), 1, sizeof rejection.remedy - 2);
    }
}

static void sees_the_length_and_not_the_terminator(void **state)
{
    (void)state;
    struct rejection rejection;
    assert_false(seek_token_check("sec\0ret", 7, &rejection));
    assert_int_equal(rejection.code, REJECTED_TOKEN);
    assert_true(seek_token_check("token%3D", 7, &rejection));
}

static void bounds_the_length(void **state)
{
    (void)state;
    struct rejection rejection;
    char token[SEEK_TOKEN_BYTES_MAX + 1];
    memset(token, 'a', sizeof token);
    assert_true(seek_token_check(token, SEEK_TOKEN_BYTES_MAX, &rejection));
    assert_false(seek_token_check(token, SEEK_TOKEN_BYTES_MAX + 1, &rejection));
    assert_int_equal(rejection.code, REJECTED_TOKEN);
}

static void names_seeks_documented_failure(void **state)
{
    (void)state;
    struct rejection rejection;
    assert_false(seek_token_check("secret%3D", 9, &rejection));
    assert_non_null(strstr(rejection.detail, "additional encoding"));
    assert_non_null(strstr(rejection.remedy, "applicationUri"));
    assert_non_null(strstr(rejection.remedy, "decode"));
    assert_non_null(strstr(rejection.remedy, "once"));
}

static void makes_fingerprints(void **state)
{
    (void)state;
    char text[SEEK_TOKEN_FINGERPRINT_BYTES];
    seek_token_fingerprint("abc", 3, text);
    assert_string_equal(text, "ba7816bf8f01cfea");
    seek_token_fingerprint("", 0, text);
    assert_string_equal(text, "e3b0c44298fc1c14");
    failing_malloc_arm(0);
    seek_token_fingerprint("abc", 3, text);
    assert_true(failing_malloc_disarm());
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("takes every form that SEEK has printed, and any other opaque text",
           takes_what_seek_gives),
        IT("refuses white space, control characters, percent-escapes and what is not UTF-8, and "
           "never quotes the seek-token",
           refuses_what_is_never_right),
        IT("goes by the length, not by a NUL", sees_the_length_and_not_the_terminator),
        IT("takes 4096 bytes and no more", bounds_the_length),
        IT("explains a percent-escape by SEEK's documented failure and says what to do",
           names_seeks_documented_failure),
        IT("has a fingerprint of the first 64 bits of SHA-256", makes_fingerprints),
    };
    return cmocka_run_group_tests_name("seek_token", tests, NULL, NULL);
}
