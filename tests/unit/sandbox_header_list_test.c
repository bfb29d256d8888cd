/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/sandbox/header_list.h"

#include "tests/support/specification.h"

static bool add(struct header_list *headers, const char *name, const char *value)
{
    return header_list_add(headers, name, strlen(name), value, strlen(value));
}

static void finds_a_header_in_any_case(void **state)
{
    (void)state;
    struct header_list headers;
    header_list_init(&headers, 100);
    assert_null(header_list_find(&headers, ":path"));
    assert_true(add(&headers, ":path", "/graphql"));
    assert_true(add(&headers, "empty", ""));
    assert_true(add(&headers, "x-request-id", "empty"));
    assert_true(add(&headers, "x-request-id", "second"));
    assert_string_equal(header_list_find(&headers, ":path"), "/graphql");
    assert_string_equal(header_list_find(&headers, "empty"), "");
    assert_string_equal(header_list_find(&headers, "X-Request-Id"), "empty");
    assert_null(header_list_find(&headers, "second")); /* it is a value */
    assert_null(header_list_find(&headers, ""));
    header_list_fini(&headers);
}

static void refuses_the_whole_header_that_has_no_room(void **state)
{
    (void)state;
    struct header_list headers;
    header_list_init(&headers, 16);
    assert_true(add(&headers, "a", "b"));
    assert_false(add(&headers, "half", "of this has room"));
    assert_null(header_list_find(&headers, "half"));
    assert_true(add(&headers, "c", "d"));
    assert_string_equal(header_list_find(&headers, "c"), "d");
    header_list_fini(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("finds a header in any case", finds_a_header_in_any_case),
        IT("refuses the whole header that has no room", refuses_the_whole_header_that_has_no_room),
    };
    return cmocka_run_group_tests_name("sandbox_header_list", tests, NULL, NULL);
}
