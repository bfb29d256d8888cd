/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "lib/base/manual.h"

#include "tests/support/specification.h"

static void must_print(const char *text, const char *expected)
{
    char *printed = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&printed, &length);
    assert_non_null(stream);
    manual_paragraph(stream, text);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(printed, expected);
    free(printed);
}

static void keeps_text_from_being_a_command(void **state)
{
    (void)state;
    must_print(".TH is text", "\\&.TH is text\n");
    must_print("'tis too", "\\&'tis too\n");
    must_print("a . b ' c", "a . b ' c\n");
    must_print("C:\\fB", "C:\\efB\n");
}

static void prints_hyphens_that_can_be_copied(void **state)
{
    (void)state;
    must_print("--dry-run", "\\-\\-dry\\-run\n");
}

static void wraps_between_words(void **state)
{
    (void)state;
    char text[128], expected[128];
    memset(text, 'x', sizeof text);
    memcpy(text + 80, " .y z", sizeof " .y z");
    memset(expected, 'x', sizeof expected);
    memcpy(expected + 80, "\n\\&.y z\n", sizeof "\n\\&.y z\n");
    must_print(text, expected);
}

static void begins_with_what_whatis_reads(void **state)
{
    (void)state;
    char *printed = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&printed, &length);
    assert_non_null(stream);
    manual_begin(stream, "seek-signal", "1.2.3", "does it");
    manual_entry(stream, "--term", "VALUE", "");
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(printed,
                        "'\\\" -*- coding: UTF-8 -*-\n"
                        ".TH SEEK-SIGNAL 1 @DATE@ \"seek-signal 1.2.3\" \"User Commands\"\n"
                        ".SH NAME\nseek\\-signal \\- does it\n"
                        ".TP\n\\fB\\-\\-term\\fR VALUE\n");
    free(printed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("keeps text from being a command of roff", keeps_text_from_being_a_command),
        IT("prints hyphens that can be copied", prints_hyphens_that_can_be_copied),
        IT("wraps between words", wraps_between_words),
        IT("begins with what whatis(1) reads", begins_with_what_whatis_reads),
    };
    return cmocka_run_group_tests_name("manual", tests, NULL, NULL);
}
