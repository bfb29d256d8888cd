/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_query.h"

#include <assert.h>
#include <string.h>

#include "lib/base/percent.h"

enum { ESCAPE_BYTES = 3 };

/* Each byte of the query may be a parameter without a value, which takes two. */
size_t http_query_room(size_t length)
{
    return 2 * length + 2;
}

/* The bytes written, with the NUL. A sound escape is one byte, a plus sign a space. */
static size_t decode(const char *text, size_t length, char *out)
{
    char *const start = out;
    const char *const end = text + length;
    while (text < end) {
        char decoded[2];
        size_t count;
        if (*text == '%' && end - text >= ESCAPE_BYTES &&
            percent_decode(text, ESCAPE_BYTES, decoded, sizeof decoded, &count) ==
                PERCENT_DECODED) {
            *out++ = decoded[0];
            text += ESCAPE_BYTES;
        } else {
            *out++ = (char)(*text == '+' ? ' ' : *text);
            text++;
        }
    }
    *out++ = '\0';
    return (size_t)(out - start);
}

size_t http_query_decode(const char *query, char *pairs)
{
    char *out = pairs;
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        size_t name_length = strcspn(query, "&=");
        size_t value_at = name_length < length ? name_length + 1 : length;
        out += decode(query, name_length, out);
        out += decode(query + value_at, length - value_at, out);
        query += length + (query[length] == '&');
    }
    return (size_t)(out - pairs);
}

const char *http_query_value(const char *pairs, size_t bytes, const char *name)
{
    const char *const end = pairs + bytes;
    while (pairs < end) {
        const char *value = pairs + strlen(pairs) + 1;
        if (strcmp(pairs, name) == 0)
            return value;
        pairs = value + strlen(value) + 1;
    }
    assert(pairs == end);
    return NULL;
}
