/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_command.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* "$17\r\n". Without printf: a batch of events is thousands of these. */
static bool append_header(struct buffer *out, char type, size_t number, struct error *error)
{
    char text[sizeof "*18446744073709551615\r\n"];
    char *start = text + sizeof text;
    *--start = '\n';
    *--start = '\r';
    do {
        *--start = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    *--start = type;
    assert(start >= text);
    return buffer_append(out, start, (size_t)(text + sizeof text - start), error);
}

static bool append_argument(struct buffer *out, const char *bytes, size_t length,
                            struct error *error)
{
    return append_header(out, '$', length, error) && buffer_append(out, bytes, length, error) &&
           buffer_append(out, "\r\n", 2, error);
}

bool redis_command_append(struct buffer *out, size_t argument_count, const char *const arguments[],
                          const size_t lengths[], struct error *error)
{
    assert(argument_count > 0);
    const size_t length_before = out->length;
    bool is_done = append_header(out, '*', argument_count, error);
    for (size_t i = 0; is_done && i < argument_count; i++) {
        size_t length = lengths != NULL ? lengths[i] : strlen(arguments[i]);
        is_done = append_argument(out, arguments[i], length, error);
    }
    if (!is_done)
        buffer_truncate(out, length_before);
    return is_done;
}
