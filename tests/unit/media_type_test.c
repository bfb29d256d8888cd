/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/media_type.h"

#include "tests/support/specification.h"

static const char json[] = "application/json";

static void knows_its_type(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "application/json",
        "Application/JSON",
        " application/json ",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json ; charset=\"utf-8\" ",
        "application/json; profile=x; charset=utf-8",
        "application/json;",
        "application/json; charset=utf8",
        "application/json; charset=US-ASCII",
        "application/json; charset=\"us-ascii\"",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_true(media_type_is(headers[i], json));
}

static void knows_what_is_not_its_type(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "",
        "application",
        "application/jsonl",
        "application/json, text/plain",
        "application/json text/plain",
        "text/json",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8x",
        "application/json; charset=",
    };
    assert_false(media_type_is(NULL, json));
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_false(media_type_is(headers[i], json));
}

static void knows_types_built_on_json(void **state)
{
    (void)state;
    assert_true(media_type_is_json("application/vnd.example+json"));
    assert_true(media_type_is_json(" Application/Vnd.Example+JSON ; charset=utf-8"));
    assert_false(media_type_is_json("application/vnd.example+json; charset=utf-16"));
    assert_false(media_type_is_json("application/json"));
    assert_false(media_type_is_json("+json"));
    assert_false(media_type_is_json("application/vnd.example+jsonl"));
    assert_false(media_type_is_json("application/a+json, text/plain"));
    assert_false(media_type_is_json(NULL));
}

static void tells_a_charset_apart(void **state)
{
    (void)state;
    assert_true(media_type_has_other_charset("application/json; charset=ISO-8859-1"));
    assert_false(media_type_has_other_charset("text/plain; charset=utf-8"));
    assert_false(media_type_has_other_charset("text/plain"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("accepts its type in any case, with parameters, in UTF-8", knows_its_type),
        IT("accepts no other type and no other charset", knows_what_is_not_its_type),
        IT("knows types that are built on JSON", knows_types_built_on_json),
        IT("tells a charset that is not UTF-8 from another type", tells_a_charset_apart),
    };
    return cmocka_run_group_tests_name("media_type", tests, NULL, NULL);
}
