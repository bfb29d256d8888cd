/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/utf8.h"

#include "tests/support/specification.h"

static const struct {
    const char *text;
    size_t length;
} valid[] = {
    {"", 0},
    {"plain", 5},
    {"a\0b", 3},
    {"\x7f", 1},
    {"\xc2\x80", 2},         /* U+0080 */
    {"\xdf\xbf", 2},         /* U+07FF */
    {"\xe0\xa0\x80", 3},     /* U+0800 */
    {"\xed\x9f\xbf", 3},     /* U+D7FF */
    {"\xee\x80\x80", 3},     /* U+E000 */
    {"\xef\xbf\xbf", 3},     /* U+FFFF */
    {"\xf0\x90\x80\x80", 4}, /* U+10000 */
    {"\xf4\x8f\xbf\xbf", 4}, /* U+10FFFF */
    {"z\xc3\xbc\xe2\x82\xac\xf0\x9f\x99\x82z", 11},
};

static const struct {
    const char *text;
    size_t length;
} invalid[] = {
    {"\x80", 1}, /* continuation alone */
    {"\xbf", 1},
    {"\xc3", 1}, /* cut */
    {"\xe2\x82", 2},
    {"\xf0\x9f\x99", 3},
    {"\xc3z", 2}, /* continuation missing */
    {"\xe2\x82z", 3},
    {"\xf0\x9f\x99z", 4},
    {"\xc0\x80", 2}, /* overlong NUL */
    {"\xc1\xbf", 2},
    {"\xe0\x9f\xbf", 3}, /* overlong */
    {"\xf0\x8f\xbf\xbf", 4},
    {"\xed\xa0\x80", 3}, /* surrogates */
    {"\xed\xbf\xbf", 3},
    {"\xf4\x90\x80\x80", 4}, /* over U+10FFFF */
    {"\xf5\x80\x80\x80", 4},
    {"\xf8\x88\x80\x80\x80", 5},
    {"\xff", 1},
    {"\xfe", 1},
    {"ok\xff", 3},
};

static void accepts_what_rfc_3629_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        if (!utf8_is_valid(valid[i].text, valid[i].length))
            fail_msg("case %zu was refused", i);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        if (utf8_is_valid(invalid[i].text, invalid[i].length))
            fail_msg("case %zu was accepted", i);
    }
}

static void reads_every_character_that_it_writes(void **state)
{
    (void)state;
    for (uint32_t character = 0; character <= 0x10ffff; character++) {
        if (character == 0xd800)
            character = 0xe000;
        char bytes[4];
        size_t length = utf8_encode(character, bytes);
        if (utf8_character_length(bytes, length) != length)
            fail_msg("U+%04X", (unsigned)character);
    }
}

static void knows_all_characters_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(utf8_character_length("x", 0), 0);
    /* Every sequence of three bytes, and a valid fourth, against the number of characters there
     * are. */
    size_t found[5] = {0};
    for (unsigned number = 0; number < 0x1000000; number++) {
        const char bytes[4] = {(char)(number >> 16), (char)(number >> 8), (char)number, '\x80'};
        found[utf8_character_length(bytes, 4)]++;
    }
    assert_int_equal(found[1], 0x80 * 0x10000);
    assert_int_equal(found[2], (0x800 - 0x80) * 0x100);
    assert_int_equal(found[3], 0x10000 - 0x800 - 0x800);
    assert_int_equal(found[4], 0x100000 / 0x40);
}

static void writes_the_shortest_form(void **state)
{
    (void)state;
    static const struct {
        uint32_t character;
        const char *bytes;
    } cases[] = {{0x41, "A"},
                 {0x7f, "\x7f"},
                 {0x80, "\xc2\x80"},
                 {0x7ff, "\xdf\xbf"},
                 {0x800, "\xe0\xa0\x80"},
                 {0xffff, "\xef\xbf\xbf"},
                 {0x10000, "\xf0\x90\x80\x80"},
                 {0x10ffff, "\xf4\x8f\xbf\xbf"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[4];
        assert_int_equal(utf8_encode(cases[i].character, bytes), strlen(cases[i].bytes));
        assert_memory_equal(bytes, cases[i].bytes, strlen(cases[i].bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("accepts what RFC 3629 allows", accepts_what_rfc_3629_allows),
        IT("refuses everything else", refuses_everything_else),
        IT("reads every character that it writes", reads_every_character_that_it_writes),
        IT("knows all characters and no more", knows_all_characters_and_no_more),
        IT("writes the shortest form", writes_the_shortest_form),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
