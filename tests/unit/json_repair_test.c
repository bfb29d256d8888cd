/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/json_repair.h"

#include "tests/support/specification.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */
enum { DEPTH = 3 };

/* `length` 0: that of the text. */
static void must_repair(const char *text, size_t length, const char *expected, bool is_json)
{
    struct buffer out;
    struct error error;
    buffer_init(&out, 4096);
    assert_true(json_repair(text, length > 0 ? length : strlen(text), DEPTH, &out, &error));
    assert_string_equal(out.bytes, expected);
    AUTO(json) *json = json_parse(out.bytes, out.length, &error);
    assert_true((json != NULL) == is_json);
    buffer_fini(&out);
}

static void leaves_good_json_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        " [1, 2.5e3, -0, true, null] ",
        "{\"a\":{\"b\":[\"c\"]}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude42 \xf0\x9f\x99\x82\"",
        "\"[{]}\"",
        "\"\\\\\"",
        "{\"\":\"\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        must_repair(texts[i], 0, texts[i], true);
}

static void repairs_strings(void **state)
{
    (void)state;
    must_repair("\xef\xbb\xbf{\"a\":1}", 0, "{\"a\":1}", true);
    must_repair("\"\\ud800\"", 0, "\"" BAD "\"", true);
    must_repair("\"\\udc00x\\ud800\\ud800\"", 0, "\"" BAD "x" BAD BAD "\"", true);
    must_repair("\"\\uD800\\u0041\"", 0, "\"" BAD "\\u0041\"", true);
    must_repair("\"\\u0000\"", 0, "\"" BAD "\"", true);
    must_repair("\"a\0b\"", 5, "\"a" BAD "b\"", true);
    must_repair("\"caf\xe9 \xff\xc3\"", 0, "\"caf" BAD " " BAD BAD "\"", true);
    must_repair("{\"\xe9\":\"\n\t\x1b\"}", 0, "{\"" BAD "\":\"" BAD BAD BAD "\"}", true);
    must_repair("\"\xed\xa0\x80\"", 0, "\"" BAD BAD BAD "\"", true); /* a surrogate in UTF-8 */
}

static void makes_null_of_what_is_too_deep(void **state)
{
    (void)state;
    must_repair("[[[1]]]", 0, "[[[1]]]", true);
    must_repair("[[[[1,{\"a\":[2]}],3]]]", 0, "[[[null,3]]]", true);
    must_repair("{\"a\":{\"b\":{\"c\":{\"}]\":\"\\\"\"},\"d\":[[]]}}}", 0,
                "{\"a\":{\"b\":{\"c\":null,\"d\":null}}}", true);
    char deep[2001];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    deep[2000] = '\0';
    must_repair(deep, 0, "[[[null]]]", true);
}

static void leaves_mistakes_of_grammar(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "<html>",
                                        "{",
                                        "[",
                                        "]",
                                        "[1,]",
                                        "{\"a\"}",
                                        "\"",
                                        "\"\\",
                                        "\"\\u12\"",
                                        "\"\\x\"",
                                        "{} {}",
                                        "nul",
                                        "[1]]",
                                        "\xef\xbb\xbf",
                                        "\xef\xbb\xbf\xef\xbb\xbf{}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buffer out;
        struct error error;
        buffer_init(&out, 4096);
        assert_true(json_repair(texts[i], strlen(texts[i]), DEPTH, &out, &error));
        AUTO(json) *json = json_parse(out.bytes, out.length, &error);
        assert_null(json);
        buffer_fini(&out);
    }
}

static void says_when_there_is_no_room(void **state)
{
    (void)state;
    char storage[8];
    struct error error;
    struct buffer out;
    buffer_init_fixed(&out, storage, sizeof storage);
    assert_true(buffer_append_text(&out, "ab", NULL));
    assert_false(json_repair("\"\xff\xff\xff\"", 5, DEPTH, &out, &error));
    assert_int_equal(error.kind, ERROR_FULL);
    assert_string_equal(out.bytes, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("leaves good JSON as it is", leaves_good_json_as_it_is),
        IT("mends what strings may not hold, and leaves out a byte order mark", repairs_strings),
        IT("makes null of what is nested too deeply", makes_null_of_what_is_too_deep),
        IT("leaves mistakes of grammar for the parser", leaves_mistakes_of_grammar),
        IT("says when there is no room", says_when_there_is_no_room),
    };
    return cmocka_run_group_tests_name("json_repair", tests, NULL, NULL);
}
