/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/manual.h"

#include <stdbool.h>

#include "lib/base/ascii.h"

enum { COLUMNS = 50 }; /* then at the next word */

/* roff reads a backslash anywhere, and a point or an apostrophe where a line begins. A plain hyphen
 * would be printed as a dash that nobody can copy into a shell. UTF-8 goes through preconv(1). */
static void print_text(FILE *stream, const char *text, bool is_wrapped)
{
    size_t column = 0;
    for (; *text != '\0'; text++) {
        if (column == 0 && (*text == '.' || *text == '\''))
            (void)fputs("\\&", stream);
        column++;
        if (is_wrapped && *text == ' ' && column > COLUMNS) {
            (void)fputc('\n', stream);
            column = 0;
        } else if (*text == '\\') {
            (void)fputs("\\e", stream);
        } else if (*text == '-') {
            (void)fputs("\\-", stream);
        } else {
            (void)fputc(*text, stream);
        }
    }
}

static void print_in_capitals(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++)
        (void)fputc(ascii_upper(*text), stream);
}

void manual_begin(FILE *stream, const char *program, const char *version, const char *summary)
{
    (void)fputs("'\\\" -*- coding: UTF-8 -*-\n.TH ", stream);
    print_in_capitals(stream, program);
    (void)fprintf(stream, " 1 @DATE@ \"seek-signal %s\" \"User Commands\"\n", version);
    manual_section(stream, "NAME");
    print_text(stream, program, false);
    (void)fputs(" \\- ", stream);
    manual_paragraph(stream, summary);
}

void manual_section(FILE *stream, const char *heading)
{
    (void)fprintf(stream, ".SH %s\n", heading);
}

void manual_paragraph(FILE *stream, const char *text)
{
    print_text(stream, text, true);
    (void)fputc('\n', stream);
}

void manual_entry(FILE *stream, const char *term, const char *value, const char *text)
{
    (void)fputs(".TP\n\\fB", stream);
    print_text(stream, term, false);
    (void)fputs("\\fR", stream);
    if (*value != '\0') {
        (void)fputc(' ', stream);
        print_text(stream, value, false);
    }
    (void)fputc('\n', stream);
    if (*text != '\0')
        manual_paragraph(stream, text);
}
