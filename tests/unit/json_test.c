/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

/* json-c lives in a shared library, whose own allocations --wrap does not see; so its functions
 * fail in their stead. */
struct json_object;
#define FAIL_LIKE_MEMORY(function, failure, parameters, arguments)                                 \
    __typeof__(failure) __real_##function parameters;                                              \
    __typeof__(failure) __wrap_##function parameters;                                              \
    __typeof__(failure) __wrap_##function parameters                                               \
    {                                                                                              \
        return failing_malloc_strikes() ? (failure) : __real_##function arguments;                 \
    }
#define NOTHING ((struct json_object *)NULL)
FAIL_LIKE_MEMORY(json_object_new_object, NOTHING, (void), ())
FAIL_LIKE_MEMORY(json_object_new_array, NOTHING, (void), ())
FAIL_LIKE_MEMORY(json_object_new_string_len, NOTHING, (const char *text, int length),
                 (text, length))
FAIL_LIKE_MEMORY(json_object_new_boolean, NOTHING, (int value), (value))
FAIL_LIKE_MEMORY(json_object_new_int64, NOTHING, (int64_t value), (value))
FAIL_LIKE_MEMORY(json_object_new_double_s, NOTHING, (double value, const char *text), (value, text))
FAIL_LIKE_MEMORY(json_object_array_add, -1, (struct json_object * array, struct json_object *value),
                 (array, value))
FAIL_LIKE_MEMORY(json_object_object_add_ex, -1,
                 (struct json_object * object, const char *name, struct json_object *value,
                  unsigned options),
                 (object, name, value, options))

static struct json *must_parse(const char *text)
{
    struct error error = {.message = ""};
    struct json *json = json_parse(text, strlen(text), &error);
    if (json == NULL)
        fail_msg("%s was refused: %s", text, error.message);
    return json;
}

static const char *const documents[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "42",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "1.5",
    "0.1e-7",
    "1E+2",
    "1e999",
    "\"\"",
    "\"text\"",
    "[]",
    "{}",
    "[1,\"two\",null,true,[],{}]",
    "{\"a\":{\"b\":[{\"c\":null}]},\"d\":false}",
    "{\"\":1}",
    "\"z\xc3\xbc\xe2\x82\xac\xf0\x9f\x99\x82\"",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", /* 16 deep */
    "{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[{\"a\":[]}]}]}]}]}]}]}]}",
    /* Beyond 64 bits a number is kept as it was written. */
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
};

static void writes_back_what_it_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        struct json *json = must_parse(documents[i]);
        struct buffer buffer;
        struct error error;
        buffer_init(&buffer, 1000);
        assert_true(json_write(&buffer, json_root(json), &error));
        const char *expected = strcmp(documents[i], "-0") == 0 ? "0" : documents[i];
        assert_string_equal(buffer.bytes, expected);
        buffer_fini(&buffer);
        json_destroy(json);
    }
}

static void forgives_white_space_only(void **state)
{
    (void)state;
    struct json *json = must_parse(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\"\n:\nnull } \n");
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 1000);
    assert_true(json_write(&buffer, json_root(json), &error));
    assert_string_equal(buffer.bytes, "{\"a\":[1,2],\"b\":null}");
    buffer_fini(&buffer);
    json_destroy(json);
}

static char *repeat(const char *open, const char *item, size_t count, const char *close)
{
    size_t size = strlen(open) + count * (strlen(item) + 1) + strlen(close) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    char *end = stpcpy(text, open);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(stpcpy(end, i > 0 ? "," : ""), item);
    (void)stpcpy(end, close);
    return text;
}

/* As many as fit into JSON_TREE_BYTES_MAX, however small they are. */
static void bounds_the_memory_of_a_tree(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        size_t fits, is_too_much;
    } cases[] = {{"{}", 20000, 22000},
                 {"[]", 43000, 45000},
                 {"1", 230000, 240000},
                 {"\"\"", 230000, 240000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *fits = repeat("[", cases[i].item, cases[i].fits, "]");
        json_destroy(must_parse(fits));
        free(fits);
        char *too_much = repeat("[", cases[i].item, cases[i].is_too_much, "]");
        struct error error;
        assert_null(json_parse(too_much, strlen(too_much), &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_non_null(strstr(error.message, "more values than 16 MiB of memory hold"));
        free(too_much);
    }
}

static void reads_large_arrays_in_linear_time(void **state)
{
    (void)state;
    /* With quadratic work, 80,000 objects would keep this test beyond its time-out. */
    char *text = repeat("[", "{\"id\":1}", 80000, "]");
    struct json_scanner items;
    assert_true(json_items_open(&items, text, strlen(text)));
    struct json *item;
    const char *item_text;
    size_t length, count = 0;
    while (json_items_next(&items, &item, &item_text, &length, NULL) && item != NULL) {
        assert_int_equal(length, strlen("{\"id\":1}"));
        json_destroy(item);
        count++;
    }
    assert_int_equal(count, 80000);
    free(text);
}

static void reads_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *meaning;
    } cases[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00fc\\u20AC\"", "A\xc3\xbc\xe2\x82\xac"},
        {"\"\\uD83D\\uDe42!\"", "\xf0\x9f\x99\x82!"},
        {"\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\"\\u0001\\u001f\\u007f\"", "\x01\x1f\x7f"},
        {"\"\\uABCD\\uFEFA\"", "\xea\xaf\x8d\xef\xbb\xba"},
        {"\"\\uffff\\ud7ff\\ue000\"", "\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80"},
        {"\"\x7f\"", "\x7f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json *json = must_parse(cases[i].text);
        struct json_text text;
        assert_true(json_text(json_root(json), &text));
        assert_string_equal(text.bytes, cases[i].meaning);
        assert_int_equal(text.length, strlen(cases[i].meaning));
        json_destroy(json);
    }
}

static void gives_members_by_name_and_type(void **state)
{
    (void)state;
    struct json *json = must_parse("{\"text\":\"t\",\"number\":7,\"null\":null,\"yes\":true,"
                                   "\"list\":[1,\"b\"],\"object\":{},\"na\\u006de\":\"n\"}");
    const struct json_value *root = json_root(json);
    assert_int_equal(json_type(root), JSON_OBJECT);
    assert_int_equal(json_type(json_member(root, "text")), JSON_STRING);
    assert_int_equal(json_type(json_member(root, "number")), JSON_NUMBER);
    assert_int_equal(json_type(json_member(root, "yes")), JSON_BOOLEAN);
    assert_int_equal(json_type(json_member(root, "list")), JSON_ARRAY);
    assert_int_equal(json_type(json_member(root, "object")), JSON_OBJECT);

    assert_int_equal(json_type(json_member(root, "null")), JSON_NULL);
    assert_true(json_has_member(root, "null"));
    assert_int_equal(json_type(json_member(root, "absent")), JSON_NULL);
    assert_false(json_has_member(root, "absent"));

    struct json_text text;
    assert_true(json_member_text(root, "name", &text));
    assert_string_equal(text.bytes, "n");
    assert_false(json_member_text(root, "number", &text));
    assert_false(json_member_text(root, "null", &text));
    assert_false(json_member_text(root, "absent", &text));

    const struct json_value *list = json_member(root, "list");
    assert_int_equal(json_array_length(list), 2);
    assert_true(json_text(json_array_item(list, 1), &text));
    assert_string_equal(text.bytes, "b");
    assert_null(json_array_item(list, 2));
    json_destroy(json);
}

static void gives_members_in_their_order(void **state)
{
    (void)state;
    struct json *json = must_parse("{\"b\":1,\"a\":null,\"c\":[]}");
    static const char *const names[] = {"b", "a", "c"};
    static const enum json_type types[] = {JSON_NUMBER, JSON_NULL, JSON_ARRAY};
    const char *name = NULL;
    const struct json_value *value;
    for (size_t i = 0; i < 3; i++) {
        assert_true(json_member_at(json_root(json), i, &name, &value));
        assert_string_equal(name, names[i]);
        assert_int_equal(json_type(value), types[i]);
    }
    assert_false(json_member_at(json_root(json), 3, &name, &value));
    assert_false(json_member_at(json_root(json), SIZE_MAX, &name, &value));
    assert_string_equal(name, "c");
    json_destroy(json);
}

static void asking_the_wrong_type_gives_nothing(void **state)
{
    (void)state;
    static const char *const values[] = {"null", "true", "1", "1.5", "\"text\"", "[]", "{}"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct json *json = must_parse(values[i]);
        const struct json_value *root = json_root(json);
        struct json_text text;
        int64_t number;
        assert_null(json_member(root, "a"));
        assert_false(json_has_member(root, "a"));
        assert_false(json_member_text(root, "a", &text));
        assert_false(json_member_integer(root, "a", &number));
        assert_int_equal(json_array_length(root), 0);
        assert_false(json_member_at(root, 0, &(const char *){NULL}, &root));
        assert_null(json_array_item(root, 0));
        assert_int_equal(json_text(root, &text), i == 4);
        json_destroy(json);
    }
}

static void reads_integers_exactly_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_integer;
        int64_t value;
    } cases[] = {
        {"{\"n\":0}", true, 0},
        {"{\"n\":-0}", true, 0},
        {"{\"n\":1800}", true, 1800},
        {"{\"n\":9223372036854775807}", true, INT64_MAX},
        {"{\"n\":-9223372036854775808}", true, INT64_MIN},
        {"{\"n\":9223372036854775808}", false, 0},
        {"{\"n\":-9223372036854775809}", false, 0},
        {"{\"n\":18446744073709551615}", false, 0},
        {"{\"n\":1.0}", false, 0},
        {"{\"n\":1e3}", false, 0},
        {"{\"n\":\"1\"}", false, 0},
        {"{\"n\":true}", false, 0},
        {"{\"n\":null}", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json *json = must_parse(cases[i].text);
        int64_t value = 0;
        assert_int_equal(json_member_integer(json_root(json), "n", &value), cases[i].is_integer);
        assert_int_equal(value, cases[i].value);
        json_destroy(json);
    }
}

static void finds_repeated_members(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_repeated;
    } cases[] = {
        {"{\"a\":1}", false},
        {"{\"a\":1,\"a\":1}", true},
        {"{\"a\":1,\"b\":2,\"a\":null}", true},
        {"{\"b\":1,\"b\":2}", false},
        {"{\"\\u0061\":1,\"a\":2}", true}, /* written differently */
        {"{\"ab\":1,\"a\":2,\"\":3}", false},
        {"{\"a\":{\"a\":1}}", false}, /* different objects */
        {"[{\"a\":1},{\"a\":1}]", false},
        {"{\"x\":{\"a\":1},\"y\":{\"a\":1}}", false},
        {"{\"x\":{\"a\":1,\"a\":1}}", true}, /* at any depth */
        {"[[{\"a\":1},{\"a\":1,\"b\":{},\"a\":2}]]", true},
        {"{\"a\":{\"b\":1},\"c\":[{\"a\":1}],\"a\":2}", true}, /* the outer one goes on */
        {"{\"b\":\"a\",\"c\":\"a\"}", false},                  /* values are no names */
        {"[\"a\",\"a\"]", false},
        {"\"a\"", false},
        {"[[[[[[[[[[[[[[[{\"a\":1,\"a\":2}]]]]]]]]]]]]]]]", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_destroy(must_parse(cases[i].text));
        if (json_repeats_member(cases[i].text, strlen(cases[i].text), "a") != cases[i].is_repeated)
            fail_msg("%s", cases[i].text);
    }
}

static void keeps_the_last_of_repeated_members(void **state)
{
    (void)state;
    struct json *json = must_parse("{\"a\":{\"b\":1},\"a\":[2],\"a\":3}");
    int64_t value;
    assert_true(json_member_integer(json_root(json), "a", &value));
    assert_int_equal(value, 3);
    json_destroy(json);
}

static void writes_strings_that_any_reader_takes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"", "\"\""},
        {"plain text", "\"plain text\""},
        {"\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\"\\u0080\\u009b\\u009f\xc2\xa0\""},
        {"z\xc3\xbc\xe2\x82\xac\xf0\x9f\x99\x82", "\"z\xc3\xbc\xe2\x82\xac\xf0\x9f\x99\x82\""},
        {"a\xff z\xe2\x82", "\"a\xef\xbf\xbd z\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer buffer;
        struct error error;
        buffer_init(&buffer, 100);
        assert_true(json_append_string(&buffer, cases[i].text, strlen(cases[i].text), &error));
        assert_string_equal(buffer.bytes, cases[i].written);
        json_destroy(must_parse(buffer.bytes));
        buffer_fini(&buffer);
    }
}

/* Strings are looked at eight bytes at a time: every byte, at every place in and around the eight.
 */
static void escapes_a_byte_wherever_it_stands(void **state)
{
    (void)state;
    enum { LENGTH = 21 };
    struct error error;
    for (unsigned byte = 1; byte < 0x80; byte++) {
        bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        for (size_t at = 0; at < LENGTH; at++) {
            char text[LENGTH + 1];
            memset(text, 'a', LENGTH);
            text[LENGTH] = '\0';
            text[at] = (char)byte;
            struct buffer buffer;
            buffer_init(&buffer, 100);
            assert_true(json_append_string(&buffer, text, LENGTH, &error));
            assert_int_equal(buffer.length == LENGTH + 2, is_plain);
            assert_memory_equal(buffer.bytes + 1, text, at);
            assert_memory_equal(buffer.bytes + buffer.length - 1 - (LENGTH - at - 1), text + at + 1,
                                LENGTH - at - 1);
            buffer_fini(&buffer);
        }
    }
}

static void writes_a_nul_escaped(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error error;
    buffer_init(&buffer, 100);
    assert_true(json_append_string(&buffer, "a\0b", 3, &error));
    assert_string_equal(buffer.bytes, "\"a\\u0000b\"");
    buffer_fini(&buffer);
}

static void leaves_the_buffer_alone_when_a_string_does_not_fit(void **state)
{
    (void)state;
    const char *text = "a\n\x01z\xc3\xbc\xff";
    for (size_t room = 0; room < strlen("\"a\\n\\u0001z\xc3\xbc\xef\xbf\xbd\""); room++) {
        struct buffer buffer;
        struct error error;
        buffer_init(&buffer, room + 4);
        assert_true(buffer_append_text(&buffer, "kept", &error));
        assert_false(json_append_string(&buffer, text, strlen(text), &error));
        assert_int_equal(error.kind, ERROR_FULL);
        assert_string_equal(buffer.bytes, "kept");
        buffer_fini(&buffer);
    }
}

static void leaves_the_buffer_alone_when_the_value_does_not_fit(void **state)
{
    (void)state;
    const char *text = "{\"a\":[1,2.5,\"b\\n\\u0001\xc3\xbc\",null,true,{}],\"c\":{}}";
    struct json *json = must_parse(text);
    struct buffer whole;
    struct error error;
    buffer_init(&whole, 1000);
    assert_true(json_write(&whole, json_root(json), &error));
    for (size_t room = 0; room < whole.length; room++) {
        struct buffer buffer;
        buffer_init(&buffer, room + 4);
        assert_true(buffer_append_text(&buffer, "kept", &error));
        assert_false(json_write(&buffer, json_root(json), &error));
        assert_int_equal(error.kind, ERROR_FULL);
        assert_string_equal(buffer.bytes, "kept");
        buffer_fini(&buffer);
    }
    buffer_fini(&whole);
    json_destroy(json);
}

static void every_failed_allocation_refuses_the_document(void **state)
{
    (void)state;
    const char *text = "{\"token\":\"abc\",\"list\":[1,2.5,true,{\"x\":\"y\"},null,[]],\"\":null}";
    unsigned n = 0;
    for (;; n++) {
        struct error error = {.kind = ERROR_INVALID};
        failing_malloc_arm(n);
        struct json *json = json_parse(text, strlen(text), &error);
        if (!failing_malloc_disarm()) {
            json_destroy(json);
            break;
        }
        assert_null(json);
        assert_int_equal(error.kind, ERROR_MEMORY);
    }
    assert_true(n > 20);
    json_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("writes back what it read", writes_back_what_it_read),
        IT("forgives white space only", forgives_white_space_only),
        IT("bounds the memory of a tree, however small its values are",
           bounds_the_memory_of_a_tree),
        IT("reads large arrays in linear time", reads_large_arrays_in_linear_time),
        IT("reads escapes", reads_escapes),
        IT("gives members by name and type", gives_members_by_name_and_type),
        IT("gives members in their order", gives_members_in_their_order),
        IT("gives nothing when asked for the wrong type", asking_the_wrong_type_gives_nothing),
        IT("reads integers exactly or not at all", reads_integers_exactly_or_not_at_all),
        IT("finds repeated members", finds_repeated_members),
        IT("keeps the last of repeated members", keeps_the_last_of_repeated_members),
        IT("writes strings that any reader takes", writes_strings_that_any_reader_takes),
        IT("escapes a byte wherever it stands", escapes_a_byte_wherever_it_stands),
        IT("writes a NUL escaped", writes_a_nul_escaped),
        IT("leaves the buffer alone when a string does not fit",
           leaves_the_buffer_alone_when_a_string_does_not_fit),
        IT("leaves the buffer alone when the value does not fit",
           leaves_the_buffer_alone_when_the_value_does_not_fit),
        IT("refuses the document when any allocation fails",
           every_failed_allocation_refuses_the_document),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
