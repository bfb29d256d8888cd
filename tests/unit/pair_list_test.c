/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/tracing/pair_list.h"

#include "tests/support/specification.h"

/* The pairs as "[key|value]", and "!" where the list is malformed. */
static void describe(const char *list, char *out, size_t size)
{
    struct pair pair;
    enum pair_outcome outcome;
    size_t length = 0;
    out[0] = '\0';
    while ((outcome = pair_list_next(&list, &pair)) == PAIR_READ)
        length += (size_t)snprintf(out + length, size - length, "[%s|%s]", pair.key, pair.value);
    if (outcome == PAIR_MALFORMED)
        (void)snprintf(out + length, size - length, "!");
}

static void reads_pairs(void **state)
{
    (void)state;
    static const struct {
        const char *list, *expected;
    } cases[] = {
        {"", ""},
        {" , ,", ""},
        {"a=b", "[a|b]"},
        {"a=b,c=d", "[a|b][c|d]"},
        {" a = b c\t, d=", "[a|b c][d|]"},
        {"a=b=c==", "[a|b=c==]"},
        {"a=%20x%2C%3d%25", "[a| x,=%]"},
        {"k%38s=v", "[k8s|v]"},
        {"name=Gr%C3%B6%C3%9Fe", "[name|Größe]"},
        {"a=b,c", "[a|b]!"},
        {"=b", "!"},
        {"a=%2", "!"},
        {"a=%zz", "!"},
        {"a=%,b=c", "!"},
        {"a=%00", "!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char seen[256];
        describe(cases[i].list, seen, sizeof seen);
        assert_string_equal(seen, cases[i].expected);
        assert_int_equal(pair_list_check(cases[i].list),
                         strchr(cases[i].expected, '!') != NULL ? PAIR_MALFORMED : PAIR_END);
    }
}

static void has_limits(void **state)
{
    (void)state;
    static char list[2 + PAIR_VALUE_BYTES + 1];
    memset(list, 'x', sizeof list - 1);
    memcpy(list, "a=", 2);
    assert_int_equal(pair_list_check(list), PAIR_MALFORMED);
    list[2 + PAIR_VALUE_BYTES - 1] = '\0';
    assert_int_equal(pair_list_check(list), PAIR_END);
    static char key[PAIR_KEY_BYTES + 3];
    memset(key, 'k', sizeof key - 1);
    key[PAIR_KEY_BYTES] = '=';
    assert_int_equal(pair_list_check(key), PAIR_MALFORMED);
    key[PAIR_KEY_BYTES - 1] = '=';
    assert_int_equal(pair_list_check(key), PAIR_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads pairs, percent-encoded, and tells what is none", reads_pairs),
        IT("takes keys and values up to their limits", has_limits),
    };
    return cmocka_run_group_tests_name("pair_list", tests, NULL, NULL);
}
