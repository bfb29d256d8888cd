/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/terminal.h"

enum { LABEL_WIDTH = 14 };

__attribute__((format(printf, 2, 0))) static void add(struct buffer *out, const char *format,
                                                      va_list arguments)
{
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    if (length < 0)
        return;
    (void)!terminal_append(out, text, (size_t)length, NULL);
    free(text);
}

void row_add(struct buffer *out, const char *label, const char *format, ...)
{
    va_list arguments;
    (void)!buffer_append_format(out, NULL, "%-*s", LABEL_WIDTH, label);
    va_start(arguments, format);
    add(out, format, arguments);
    va_end(arguments);
    (void)!buffer_append_text(out, "\n", NULL);
}

void row_say(struct buffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(out, format, arguments);
    va_end(arguments);
}

const char *row_text(const struct json_value *object, const char *name)
{
    struct json_text text;
    return json_member_text(object, name, &text) ? text.bytes : "";
}

int64_t row_number(const struct json_value *object, const char *name)
{
    int64_t number;
    return json_member_integer(object, name, &number) ? number : -1;
}
