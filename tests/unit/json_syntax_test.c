/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What is refused, and why. What is accepted: json_test.c. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

#include "tests/support/specification.h"

/* The bytes lie at the end of their allocation, so that ASan sees a read past them. */
static struct json *parse_bytes(const char *text, size_t length, struct error *error)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    struct json *json = json_parse(copy, length, error);
    free(copy);
    return json;
}

#define REFUSED(text_, message_)                                                                   \
    {                                                                                              \
        text_, sizeof text_ - 1, message_                                                          \
    }
static const struct {
    const char *text;
    size_t length;
    const char *message;
} refused[] = {
    REFUSED("", "at byte 0: a value is missing"),
    REFUSED(" \n", "at byte 2: a value is missing"),
    /* Trailing bytes. */
    REFUSED("{} {}", "at byte 3: something follows the document"),
    REFUSED("{}x", "at byte 2: something follows the document"),
    REFUSED("1 2", "at byte 2: something follows the document"),
    REFUSED("null,", "at byte 4: something follows the document"),
    REFUSED("\"a\"\"b\"", "at byte 3: something follows the document"),
    REFUSED("]", "at byte 0: not a value"),
    REFUSED("[]]", "at byte 2: something follows the document"),
    /* NUL, raw and escaped, in values and names, and a surrogate that hides none. */
    REFUSED("{}\0", "at byte 2: something follows the document"),
    REFUSED("\0", "at byte 0: not a value"),
    REFUSED("\"a\0b\"", "at byte 2: a control character in a string"),
    REFUSED("\"a\\u0000b\"", "at byte 2: an escaped NUL"),
    REFUSED("{\"a\\u0000b\":1}", "at byte 3: an escaped NUL"),
    REFUSED("{\"a\0b\":1}", "at byte 3: a control character in a string"),
    /* Comments, which json-c reads. */
    REFUSED("/* c */ 1", "at byte 0: not a value"),
    REFUSED("1 // c", "at byte 2: something follows the document"),
    REFUSED("[1 /* c */]", "at byte 3: a comma or the end of an array or object is missing"),
    REFUSED("# c\n1", "at byte 0: not a value"),
    /* Control characters in strings. */
    REFUSED("\"a\nb\"", "at byte 2: a control character in a string"),
    REFUSED("\"a\tb\"", "at byte 2: a control character in a string"),
    REFUSED("\"\x1f\"", "at byte 1: a control character in a string"),
    REFUSED("{\"a\rb\":1}", "at byte 3: a control character in a string"),
    /* UTF-8. */
    REFUSED("\"\xff\"", "at byte 1: invalid UTF-8"),
    REFUSED("\"\xc0\x80\"", "at byte 1: invalid UTF-8"),
    REFUSED("\"\xed\xa0\x80\"", "at byte 1: invalid UTF-8"),
    REFUSED("\"\xf4\x90\x80\x80\"", "at byte 1: invalid UTF-8"),
    REFUSED("\"\xe2\x82\"", "at byte 1: invalid UTF-8"),
    REFUSED("\"abc\xe2\x82", "at byte 4: invalid UTF-8"),
    REFUSED("{\"\x80\":1}", "at byte 2: invalid UTF-8"),
    REFUSED("\xff", "at byte 0: not a value"),
    REFUSED("\xef\xbb\xbf{}", "at byte 0: not a value"), /* a byte order mark */
    /* Half surrogate pairs. */
    REFUSED("\"\\ud800\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\udc00\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83dx\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83dxude42\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83d\\xde42\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83d\\n\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83d\\ud83d\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83d\\u0041\"", "at byte 1: half a surrogate pair"),
    REFUSED("\"\\ud83d\\ude", "at byte 1: half a surrogate pair"),
    /* Escapes. */
    REFUSED("\"\\x41\"", "at byte 1: an unknown escape"),
    REFUSED("\"\\'\"", "at byte 1: an unknown escape"),
    REFUSED("\"\\U0041\"", "at byte 1: an unknown escape"),
    REFUSED("\"\\\0\"", "at byte 1: an unknown escape"),
    REFUSED("\"\\", "at byte 1: an unknown escape"),
    REFUSED("\"\\u12\"", "at byte 1: an escape without four hexadecimal digits"),
    REFUSED("\"\\u12g4\"", "at byte 1: an escape without four hexadecimal digits"),
    REFUSED("\"\\u 123\"", "at byte 1: an escape without four hexadecimal digits"),
    REFUSED("\"\\u-123\"", "at byte 1: an escape without four hexadecimal digits"),
    REFUSED("\"\\u", "at byte 1: an escape without four hexadecimal digits"),
    /* Strings. */
    REFUSED("\"", "at byte 1: a string without its end"),
    REFUSED("\"abc", "at byte 4: a string without its end"),
    REFUSED("\"abc\\\"", "at byte 6: a string without its end"),
    REFUSED("'abc'", "at byte 0: not a value"),
    REFUSED("abc", "at byte 0: not a value"),
    /* Numbers. */
    REFUSED("01", "at byte 1: a number with a leading zero"),
    REFUSED("-01", "at byte 2: a number with a leading zero"),
    REFUSED("00", "at byte 1: a number with a leading zero"),
    REFUSED("1.", "at byte 2: a fraction without digits"),
    REFUSED("1.e5", "at byte 2: a fraction without digits"),
    REFUSED(".5", "at byte 0: not a value"),
    REFUSED("+1", "at byte 0: not a value"),
    REFUSED("-", "at byte 1: a number without digits"),
    REFUSED("--1", "at byte 1: a number without digits"),
    REFUSED("- 1", "at byte 1: a number without digits"),
    REFUSED("-.5", "at byte 1: a number without digits"),
    REFUSED("1e", "at byte 2: an exponent without digits"),
    REFUSED("1e+", "at byte 3: an exponent without digits"),
    REFUSED("1e+-1", "at byte 3: an exponent without digits"),
    REFUSED("1e1.5", "at byte 3: something follows the document"),
    REFUSED("0x10", "at byte 1: something follows the document"),
    REFUSED("1_000", "at byte 1: something follows the document"),
    /* Words. */
    REFUSED("NaN", "at byte 0: not a value"),
    REFUSED("nan", "at byte 0: not a value"),
    REFUSED("Infinity", "at byte 0: not a value"),
    REFUSED("-Infinity", "at byte 1: a number without digits"),
    REFUSED("NULL", "at byte 0: not a value"),
    REFUSED("True", "at byte 0: not a value"),
    REFUSED("nul", "at byte 0: not a value"),
    REFUSED("n", "at byte 0: not a value"),
    REFUSED("nulll", "at byte 4: something follows the document"),
    REFUSED("undefined", "at byte 0: not a value"),
    /* Arrays and objects. */
    REFUSED("[", "at byte 1: a value is missing"),
    REFUSED("{", "at byte 1: a string is missing"),
    REFUSED("[1", "at byte 2: a comma or the end of an array or object is missing"),
    REFUSED("[1,", "at byte 3: a value is missing"),
    REFUSED("[1,]", "at byte 3: not a value"),
    REFUSED("[,1]", "at byte 1: not a value"),
    REFUSED("[1,,2]", "at byte 3: not a value"),
    REFUSED("[1 2]", "at byte 3: a comma or the end of an array or object is missing"),
    REFUSED("[1}", "at byte 2: a comma or the end of an array or object is missing"),
    REFUSED("{]", "at byte 1: a string is missing"),
    REFUSED("{\"a\"}", "at byte 4: a colon is missing"),
    REFUSED("{\"a\",\"b\"}", "at byte 4: a colon is missing"),
    REFUSED("{\"a\":}", "at byte 5: not a value"),
    REFUSED("{\"a\"::1}", "at byte 5: not a value"),
    REFUSED("{\"a\":1,}", "at byte 7: a string is missing"),
    REFUSED("{,\"a\":1}", "at byte 1: a string is missing"),
    REFUSED("{\"a\":1 \"b\":2}", "at byte 7: a comma or the end of an array or object is missing"),
    REFUSED("{a:1}", "at byte 1: a string is missing"),
    REFUSED("{1:1}", "at byte 1: a string is missing"),
    REFUSED("{'a':1}", "at byte 1: a string is missing"),
    REFUSED("{\"a\":1]", "at byte 6: a comma or the end of an array or object is missing"),
    REFUSED("[1\x0b]", "at byte 2: a comma or the end of an array or object is missing"),
    REFUSED("[1\xc2\xa0]", "at byte 2: a comma or the end of an array or object is missing"),
    /* Depth. */
    REFUSED("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "at byte 16: nested too deeply"),
    REFUSED("[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]", "at byte 16: nested too deeply"),
};

static void refuses_what_is_not_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error error = {.message = ""};
        struct json *json = parse_bytes(refused[i].text, refused[i].length, &error);
        if (json != NULL)
            fail_msg("accepted: %s", refused[i].text);
        if (strcmp(error.message, refused[i].message) != 0)
            fail_msg("%s: \"%s\" instead of \"%s\"", refused[i].text, error.message,
                     refused[i].message);
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

static void refuses_every_document_that_is_cut_short(void **state)
{
    (void)state;
    const char *text = "{\"a\":[1.5e3,\"\\ud83d\\ude42\xe2\x82\xac\\n\",{\"b\":null}],\"c\":true}";
    for (size_t length = 0; length < strlen(text); length++)
        assert_null(parse_bytes(text, length, NULL));
    struct json *whole = parse_bytes(text, strlen(text), NULL);
    assert_non_null(whole);
    json_destroy(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("refuses what is not JSON and says where", refuses_what_is_not_json),
        IT("refuses a document cut short anywhere", refuses_every_document_that_is_cut_short),
    };
    return cmocka_run_group_tests_name("json_syntax", tests, NULL, NULL);
}
