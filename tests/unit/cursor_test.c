/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/inbound/cursor.h"

#include "tests/support/specification.h"

enum { TEXT_BYTES = 600 };

static void write(char text[TEXT_BYTES], const int64_t numbers[], size_t count, const char *id)
{
    struct buffer out;
    struct error error;
    buffer_init_fixed(&out, text, TEXT_BYTES);
    assert_true(cursor_write(&out, numbers, count, id, &error));
}

static void comes_back_as_it_went(void **state)
{
    (void)state;
    char longest[APPLICATION_ID_BYTES_MAX + 1];
    memset(longest, '~', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const ids[] = {
        "A-1", "a", "ab", "abc", "1:2:3", "A/1 \u20ac?&+=", "\u00ff\u00ff", longest};
    const int64_t numbers[] = {0, 1700000000123, INT64_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[TEXT_BYTES];
        struct cursor cursor;
        write(text, numbers, 3, ids[i]);
        assert_null(strpbrk(text, "+/=&? "));
        assert_true(cursor_parse(text, 3, &cursor));
        assert_memory_equal(cursor.numbers, numbers, sizeof numbers);
        assert_string_equal(cursor.id, ids[i]);
    }
}

static void takes_nothing_else(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",         "nonsense",
        "MTIz",                                           /* 123 */
        "MTIzOg",                                         /* 123: */
        "OkEtMQ",                                         /* :A-1 */
        "LTE6QS0x",                                       /* -1:A-1 */
        "IDE6QS0x",                                       /* " 1:A-1" */
        "MTpBAA",                                         /* 1:A\0 */
        "MTpB\n",   "MTpBLTE=",                           /* padded */
        "MTpBLTE+", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM6QQ", /* too many digits */
    };
    struct cursor cursor;
    assert_true(cursor_parse("MTpBLTE", 1, &cursor)); /* 1:A-1 */
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (cursor_parse(texts[i], 1, &cursor))
            fail_msg("took %s", texts[i]);
}

static void needs_as_many_numbers(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    struct cursor cursor;
    write(text, (const int64_t[]){1, 2}, 2, "A-1");
    assert_false(cursor_parse(text, 3, &cursor));
}

static void is_bounded(void **state)
{
    (void)state;
    char text[4096];
    struct cursor cursor;
    memset(text, 'M', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(cursor_parse(text, 1, &cursor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("comes back as it went, in characters that need no escape", comes_back_as_it_went),
        IT("takes nothing that was not written so", takes_nothing_else),
        IT("needs as many numbers as are asked for", needs_as_many_numbers),
        IT("is not longer than the longest id makes it", is_bounded),
    };
    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
