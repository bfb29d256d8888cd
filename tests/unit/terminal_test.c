/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/terminal.h"
#include "lib/base/utf8.h"

#include "tests/support/specification.h"

static const struct {
    const char *text, *escaped;
} cases[] = {
    {"", ""},
    {"plain \\ \"text\" ~", "plain \\ \"text\" ~"},
    {"Gr\xc3\xbc\xc3\x9f"
     "e \xe2\x82\xac \xf0\x9f\x99\x82",
     "Gr\xc3\xbc\xc3\x9f"
     "e \xe2\x82\xac \xf0\x9f\x99\x82"},
    {"\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"},
    {"fine\r\nok    SEEK forged", "fine\\u000d\\u000aok    SEEK forged"},
    {"\t\b\x7f", "\\u0009\\u0008\\u007f"},
    {"\xc2\x80\xc2\x85\xc2\x9b\xc2\x9f\xc2\xa0", "\\u0080\\u0085\\u009b\\u009f\xc2\xa0"},
    {"a\xe2\x80\xae"
     "b",
     "a\\u202eb"}, /* right-to-left override */
    {"\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad", "\\u202a\\u202b\\u202c\\u202d"},
    {"\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "\\u2066\\u2067\\u2068\\u2069"},
    {"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c"}, /* marks of direction */
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},                /* ends of line and paragraph */
    {"a\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d"
     "b\xe2\x81\xa0\xef\xbb\xbf",
     "a\\u200b\\u200c\\u200db\\u2060\\ufeff"},
    {"\xc2\xad\xe1\xa0\x8e\xef\xbf\xb9\xef\xbf\xbb", "\\u00ad\\u180e\\ufff9\\ufffb"},
    {"\xf3\xa0\x81\x81", "\\udb40\\udc41"}, /* a tag */
    {"a\xff"
     "b\xc3",
     "a\xef\xbf\xbd"
     "b\xef\xbf\xbd"},
};

static void escapes_what_steers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        buffer_init(&out, 256);
        assert_true(terminal_append(&out, cases[i].text, strlen(cases[i].text), NULL));
        assert_string_equal(out.bytes, cases[i].escaped);
        bool is_same = strcmp(cases[i].text, cases[i].escaped) == 0;
        assert_true(terminal_shows_all(cases[i].text, strlen(cases[i].text)) == is_same);
        assert_true(terminal_shows_all(out.bytes, out.length));
        buffer_fini(&out);
    }
}

/* JSON goes to terminals too: in logs, and from `status --json`. */
static void json_never_holds_what_steers(void **state)
{
    (void)state;
    for (uint32_t character = 1; character <= 0x10ffff; character++) {
        if (character >= 0xd800 && character <= 0xdfff)
            continue;
        char bytes[4];
        char storage[64];
        size_t length = utf8_encode(character, bytes);
        assert_int_equal(utf8_decode(bytes, length), character);
        struct buffer out;
        buffer_init_fixed(&out, storage, sizeof storage);
        assert_true(json_append_string(&out, bytes, length, NULL));
        assert_true(terminal_shows_all(out.bytes, out.length));
        if (character % 97 != 0 && terminal_shows(character))
            continue;
        AUTO(json) *json = json_parse(out.bytes, out.length, NULL);
        struct json_text text;
        assert_true(json_text(json_root(json), &text));
        assert_int_equal(text.length, length);
        assert_memory_equal(text.bytes, bytes, length);
    }
}

static void leaves_the_buffer_alone_when_it_is_full(void **state)
{
    (void)state;
    char storage[10];
    struct buffer out;
    buffer_init_fixed(&out, storage, sizeof storage);
    assert_true(buffer_append_text(&out, "abc", NULL));
    assert_false(terminal_append(&out, "de\x1b", 3, NULL));
    assert_string_equal(out.bytes, "abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("escapes what steers a terminal, turns or hides text", escapes_what_steers),
        IT("has JSON escape the same", json_never_holds_what_steers),
        IT("leaves a buffer alone that is full", leaves_the_buffer_alone_when_it_is_full),
    };
    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
