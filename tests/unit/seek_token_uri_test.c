/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/domain/seek_token.h"

#include "tests/support/specification.h"

enum { OUT_BYTES_MAX = 2 * SEEK_TOKEN_BYTES_MAX };

static void finds_the_token(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *token;
    } cases[] = {
        {"https://www.example.com/job/1?seek-token=abc", "abc"},
        {"http://example.com?seek-token=abc", "abc"},
        {"HTTPS://EXAMPLE.COM/?seek-token=abc", "abc"},
        {"https://user:secret@example.com:8443/?seek-token=abc", "abc"},
        {"https://[::1]:8443/?seek-token=abc", "abc"},
        {"https://example.com/?a=1&seek-token=abc&b=2", "abc"},
        {"https://example.com/?seek-token=abc#seek-token=def", "abc"},
        {"https://example.com/?a&&=&seek-token=abc", "abc"},
        {"https://example.com/?a=?seek-token=x&seek-token=abc", "abc"},
        {"https://example.com/caf\xc3\xa9?seek-token=abc", "abc"},
        /* A broken escape elsewhere is somebody else's. */
        {"https://example.com/%?%=1&seek-token=abc&x=%", "abc"},
        /* The value is decoded once, the name too. */
        {"https://example.com/?seek-token=a%2Bb%2Fc%3d%3D", "a+b/c=="},
        {"https://example.com/?seek%2Dtoken=abc", "abc"},
        {"https://example.com/?%73%65%65%6b-token=abc", "abc"},
        /* A query is not a form. */
        {"https://example.com/?seek-token=a+b", "a+b"},
        /* Only the first equals sign separates. */
        {"https://example.com/?seek-token=abc==", "abc=="},
        /* An empty one is none. */
        {"https://example.com/?seek-token=abc&seek-token=", "abc"},
        {"https://example.com/?seek-token=&seek-token=abc", "abc"},
        /* The same value twice says nothing new, however it is written. */
        {"https://example.com/?seek-token=a%3D&seek-token=a=", "a="},
        {"https://example.com/?seek-token=caf%C3%A9", "caf\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct buffer out;
        buffer_init(&out, OUT_BYTES_MAX);
        if (!seek_token_from_uri(cases[i].uri, strlen(cases[i].uri), &out, &rejection))
            fail_msg("%s: %s", cases[i].uri, rejection.detail);
        assert_string_equal(out.bytes, cases[i].token);
        buffer_fini(&out);
    }
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        enum rejection_code code;
    } cases[] = {
        {"", REJECTED_APPLICATION_URI},
        {"?seek-token=secret", REJECTED_APPLICATION_URI},
        {"/job/1?seek-token=secret", REJECTED_APPLICATION_URI},
        {"//example.com/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"example.com/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"ftp://example.com/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https:example.com/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https://?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https:///job?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https://:443/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https://user@/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https://#?seek-token=secret", REJECTED_APPLICATION_URI},
        {" https://example.com/?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek-token=secret ", REJECTED_APPLICATION_URI},
        {"https://example.com/\n?seek-token=secret", REJECTED_APPLICATION_URI},
        /* Lost on its way: in the fragment, the path, other letters, or encoded twice. */
        {"https://example.com/#/job?a=b&seek-token=secret", REJECTED_APPLICATION_URI},
        /* No such parameter. */
        {"https://example.com/", REJECTED_NO_TOKEN},
        {"https://example.com/?", REJECTED_NO_TOKEN},
        {"https://example.com/?token=secret", REJECTED_NO_TOKEN},
        {"https://example.com/?Seek-Token=secret", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek-tokens=secret", REJECTED_NO_TOKEN},
        {"https://example.com/?xseek-token=secret", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek%252Dtoken=secret", REJECTED_APPLICATION_URI},
        {"https://example.com/#?seek-token=secret", REJECTED_APPLICATION_URI},
        {"https://example.com/seek-token=secret", REJECTED_APPLICATION_URI},
        /* Empty, or two that differ. */
        {"https://example.com/?seek-token=", REJECTED_NO_TOKEN},
        {"https://example.com/?seek-token", REJECTED_NO_TOKEN},
        {"https://example.com/?seek-token=&seek-token", REJECTED_NO_TOKEN},
        {"https://example.com/?a=b&seek-token=&c=d", REJECTED_NO_TOKEN},
        {"https://example.com/?seek-token=secret&seek-token=secret2", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek-token=secret2&seek-token=secret", REJECTED_APPLICATION_URI},
        /* Broken escapes. */
        {"https://example.com/?seek-token=secret%", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek-token=secret%3", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek-token=secret%3&x=D", REJECTED_APPLICATION_URI},
        {"https://example.com/?seek-token=secret%G0", REJECTED_APPLICATION_URI},
        /* The rules for a seek-token. */
        {"https://example.com/?seek-token=sec%20ret", REJECTED_TOKEN},
        {"https://example.com/?seek-token=secret%00", REJECTED_TOKEN},
        {"https://example.com/?seek-token=secret%FF", REJECTED_TOKEN},
        {"https://example.com/?seek-token=secret%253D", REJECTED_TOKEN_ENCODED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct buffer out;
        buffer_init(&out, OUT_BYTES_MAX);
        /* Not terminated, so that a sanitizer sees a read beyond the end. */
        size_t length = strlen(cases[i].uri);
        char *uri = malloc(length + 1);
        assert_non_null(uri);
        memcpy(uri + 1, cases[i].uri, length);
        if (seek_token_from_uri(uri + 1, length, &out, &rejection))
            fail_msg("accepted: %s", cases[i].uri);
        free(uri);
        if (rejection.code != cases[i].code)
            fail_msg("%s: %s", cases[i].uri, rejection.detail);
        assert_string_equal(rejection.field, "applicationUri");
        assert_null(strstr(rejection.detail, "secret"));
        assert_null(strstr(rejection.remedy, "secret"));
        assert_in_range(strlen(rejection.detail), 1, sizeof rejection.detail - 2);
        assert_in_range(strlen(rejection.remedy), 1, sizeof rejection.remedy - 2);
        assert_int_equal(out.length, 0);
        buffer_fini(&out);
    }
}

static bool accepts_letters(size_t count, const char *letter)
{
    static char uri[64 + 3 * (SEEK_TOKEN_BYTES_MAX + 1)];
    size_t length = (size_t)snprintf(uri, sizeof uri, "https://example.com/?seek-token=");
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(uri + length, sizeof uri - length, "%s", letter);

    struct rejection rejection = {.code = REJECTION_CODE_COUNT};
    struct buffer out;
    buffer_init(&out, OUT_BYTES_MAX);
    bool is_accepted = seek_token_from_uri(uri, length, &out, &rejection);
    assert_int_equal(out.length, is_accepted ? count : 0);
    assert_int_equal(rejection.code, is_accepted ? REJECTION_CODE_COUNT : REJECTED_APPLICATION_URI);
    buffer_fini(&out);
    return is_accepted;
}

static void bounds_the_decoded_length(void **state)
{
    (void)state;
    assert_true(accepts_letters(SEEK_TOKEN_BYTES_MAX, "a"));
    assert_true(accepts_letters(SEEK_TOKEN_BYTES_MAX, "%61"));
    assert_false(accepts_letters(SEEK_TOKEN_BYTES_MAX + 1, "a"));
    assert_false(accepts_letters(SEEK_TOKEN_BYTES_MAX + 1, "%61"));
}

static void appends(void **state)
{
    (void)state;
    static const char uri[] = "https://example.com/?seek-token=abc";
    struct rejection rejection;
    struct buffer out;
    buffer_init(&out, OUT_BYTES_MAX);
    assert_true(buffer_append_text(&out, "before ", NULL));
    assert_true(seek_token_from_uri(uri, strlen(uri), &out, &rejection));
    assert_string_equal(out.bytes, "before abc");
    buffer_fini(&out);
}

static void says_what_was_encoded_twice(void **state)
{
    (void)state;
    static const char uri[] = "https://example.com/?seek-token=abc%253D";
    struct rejection rejection;
    struct buffer out;
    buffer_init(&out, OUT_BYTES_MAX);
    assert_false(seek_token_from_uri(uri, strlen(uri), &out, &rejection));
    assert_non_null(strstr(rejection.detail, "additional encoding"));
    assert_non_null(strstr(rejection.remedy, "encoded twice"));
    buffer_fini(&out);
}

static void says_that_a_link_has_a_blank(void **state)
{
    (void)state;
    static const char *const uris[] = {"https://example.com/?seek-token=secret ",
                                       "https://example.com/a b?seek-token=secret",
                                       "\nhttps://example.com/?seek-token=secret"};
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        struct buffer token;
        struct rejection rejection;
        buffer_init(&token, SEEK_TOKEN_BYTES_MAX);
        assert_false(seek_token_from_uri(uris[i], strlen(uris[i]), &token, &rejection));
        buffer_fini(&token);
        assert_string_equal(rejection.detail, "It holds white space or a control character.");
        assert_non_null(strstr(rejection.remedy, "percent-encoded"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("takes the parameter seek-token out of an absolute URL and decodes it once",
           finds_the_token),
        IT("refuses what is no such URL, has no seek-token, an empty one or two, and quotes none",
           refuses_the_rest),
        IT("takes 4096 decoded bytes and no more", bounds_the_decoded_length),
        IT("appends to what is there", appends),
        IT("says that a link was encoded twice", says_what_was_encoded_twice),
        IT("says that a link has a blank", says_that_a_link_has_a_blank),
    };
    return cmocka_run_group_tests_name("seek_token_uri", tests, NULL, NULL);
}
