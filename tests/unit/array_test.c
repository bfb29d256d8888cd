/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/array.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

static void has_room_for_what_is_needed(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    for (size_t count = 0; count < 1000; count++) {
        int *moved = array_reserve(items, &capacity, count + 1, sizeof *items);
        assert_non_null(moved);
        assert_true(capacity > count);
        items = moved;
        items[count] = (int)count;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_int_equal(capacity, 1024); /* doubled, not stretched by one */
    items = array_reserve(items, &capacity, 5000, sizeof *items);
    assert_non_null(items);
    assert_int_equal(capacity, 8192);
    free(items);
}

static void stays_as_it_was_without_memory(void **state)
{
    (void)state;
    size_t capacity = 0;
    char *items = array_reserve(NULL, &capacity, 1, 1);
    assert_non_null(items);
    size_t before = capacity;
    failing_malloc_arm(0);
    assert_null(array_reserve(items, &capacity, before + 1, 1));
    assert_true(failing_malloc_disarm());
    assert_int_equal(capacity, before);
    items[before - 1] = 'x';
    assert_null(
        array_reserve(items, &capacity, SIZE_MAX / 4, 64)); /* more than there are addresses */
    assert_int_equal(capacity, before);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has room for what is needed, and keeps what it holds", has_room_for_what_is_needed),
        IT("stays as it was without memory", stays_as_it_was_without_memory),
    };
    return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
