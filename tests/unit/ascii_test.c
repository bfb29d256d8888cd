/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "lib/base/ascii.h"

#include "tests/support/specification.h"

/* The test stays in the C locale, where <ctype.h> knows ASCII alone. */
static void agrees_with_the_c_locale(void **state)
{
    (void)state;
    for (int i = 0; i <= 0xff; i++) {
        char byte = (char)i;
        assert_int_equal(ascii_is_digit(byte), isdigit(i) != 0);
        assert_int_equal(ascii_is_capital(byte), isupper(i) != 0);
        assert_int_equal(ascii_is_letter(byte), isalpha(i) != 0);
        assert_int_equal(ascii_is_alphanumeric(byte), isalnum(i) != 0);
        assert_int_equal(ascii_is_hex(byte), isxdigit(i) != 0);
        assert_int_equal(ascii_is_control(byte), iscntrl(i) != 0);
        assert_int_equal(ascii_is_space_or_control(byte), iscntrl(i) != 0 || i == ' ');
        assert_int_equal(ascii_is_printable(byte), isprint(i) != 0);
        assert_int_equal(ascii_is_visible(byte), isgraph(i) != 0);
        assert_int_equal(ascii_lower(byte), (char)tolower(i));
        assert_int_equal(ascii_upper(byte), (char)toupper(i));
    }
}

static void reads_hexadecimal_digits(void **state)
{
    (void)state;
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    for (int i = 0; i < 16; i++) {
        assert_int_equal(ascii_hex_value(lower[i]), i);
        assert_int_equal(ascii_hex_value(upper[i]), i);
    }
    assert_int_equal(ascii_hex_value('g'), -1);
    assert_int_equal(ascii_hex_value('\0'), -1);
    assert_true(ascii_is_percent_escape("%aF"));
    assert_false(ascii_is_percent_escape("%a"));
    assert_false(ascii_is_percent_escape("%"));
    assert_false(ascii_is_percent_escape("a41"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("says of each byte what the C locale says", agrees_with_the_c_locale),
        IT("reads hexadecimal digits and escapes", reads_hexadecimal_digits),
    };
    return cmocka_run_group_tests_name("ascii", tests, NULL, NULL);
}
