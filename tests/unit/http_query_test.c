/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "lib/net/http_query.h"

#include "tests/support/specification.h"

/* In an allocation of exactly the room that was asked for. */
static void expect(const char *query, const char *name, const char *expected)
{
    char *pairs = malloc(http_query_room(strlen(query)));
    assert_non_null(pairs);
    size_t bytes = http_query_decode(query, pairs);
    assert_true(bytes <= http_query_room(strlen(query)));
    const char *value = http_query_value(pairs, bytes, name);
    if (expected == NULL)
        assert_null(value);
    else if (value == NULL || strcmp(value, expected) != 0)
        fail_msg("%s of \"%s\" is \"%s\"", name, query, value != NULL ? value : "NULL");
    free(pairs);
}

static void decodes(void **state)
{
    (void)state;
    static const struct {
        const char *query, *name, *expected;
    } cases[] = {
        {"", "a", NULL},         {"a", "a", ""},          {"a=", "a", ""},
        {"a=1", "a", "1"},       {"a=1", "1", NULL},      {"b=2&a=1", "a", "1"},
        {"a=1&a=2", "a", "1"},   {"a=1=2", "a", "1=2"},   {"a=x+y%2B%26%3d", "a", "x y+&="},
        {"%61%3D=1", "a=", "1"}, {"a=%2561", "a", "%61"}, {"a=1&&b=2", "b", "2"},
        {"a=1&&b=2", "", ""},    {"=1", "", "1"},         {"&a", "a", ""},
        {"A=1", "a", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].query, cases[i].name, cases[i].expected);
}

static void takes_broken_escapes_as_they_stand(void **state)
{
    (void)state;
    static const char *const broken[] = {"%", "%4", "%4g", "%g1", "100%", "%%41"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char query[16] = "a=";
        strcat(query, broken[i]);
        expect(query, "a", strcmp(broken[i], "%%41") == 0 ? "%A" : broken[i]);
    }
}

static void has_room_for_many(void **state)
{
    (void)state;
    char query[2001];
    for (size_t i = 0; i < 2000; i += 2)
        memcpy(query + i, "&a", 2);
    query[2000] = '\0';
    expect(query, "b", NULL);
    memset(query, '&', 2000);
    expect(query, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("decodes names and values once", decodes),
        IT("takes broken escapes as they stand", takes_broken_escapes_as_they_stand),
        IT("has room for as many parameters as a query can hold", has_room_for_many),
    };
    return cmocka_run_group_tests_name("http_query", tests, NULL, NULL);
}
