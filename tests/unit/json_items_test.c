/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/json.h"

#include "tests/support/specification.h"

static void reads_an_array_item_by_item(void **state)
{
    (void)state;
    const char *text = " [ 1 ,\"a,]\\\"\" , {\"b\":[1,{}]},[],null , [ [ ] ] ] ";
    static const char *const expected[] = {"1",  "\"a,]\\\"\"", "{\"b\":[1,{}]}",
                                           "[]", "null",        "[ [ ] ]"};
    struct json_scanner items;
    struct json *item;
    const char *item_text;
    size_t length;
    assert_true(json_items_open(&items, text, strlen(text)));
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(json_items_next(&items, &item, &item_text, &length, NULL));
        assert_non_null(item);
        assert_int_equal(length, strlen(expected[i]));
        assert_memory_equal(item_text, expected[i], length);
        json_destroy(item);
    }
    assert_true(json_items_next(&items, &item, &item_text, &length, NULL));
    assert_null(item);

    assert_true(json_items_open(&items, " [ ] ", 5));
    assert_true(json_items_next(&items, &item, &item_text, &length, NULL));
    assert_null(item);
    assert_false(json_items_open(&items, "{}", 2));
    assert_false(json_items_open(&items, "", 0));
}

static void is_as_strict_as_with_a_whole_document(void **state)
{
    (void)state;
    struct json_scanner items;
    struct json *item;
    const char *item_text;
    size_t length;
    static const char *const broken[] = {"[] x", "[", "[,]", "[}"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct error error;
        assert_true(json_items_open(&items, broken[i], strlen(broken[i])));
        assert_false(json_items_next(&items, &item, &item_text, &length, &error));
        assert_null(item);
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads an array item by item, each with its text", reads_an_array_item_by_item),
        IT("is as strict as with a whole document", is_as_strict_as_with_a_whole_document),
    };
    return cmocka_run_group_tests_name("json_items", tests, NULL, NULL);
}
