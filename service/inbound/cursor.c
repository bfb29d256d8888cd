/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/cursor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "service/domain/base64.h"

enum {
    NUMBER_BYTES_MAX = 20, /* with its colon */
    PLAIN_BYTES_MAX = CURSOR_NUMBERS_MAX * NUMBER_BYTES_MAX + APPLICATION_ID_BYTES_MAX,
    TEXT_BYTES_MAX = (PLAIN_BYTES_MAX + 2) / 3 * 4,
};

/* RFC 4648 section 5, without padding. */
static size_t to_url(char *text, size_t length)
{
    while (length > 0 && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++)
        text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
    return length;
}

static bool from_url(const char *text, char out[TEXT_BYTES_MAX + 1], size_t *out_length)
{
    size_t length = strlen(text);
    if (length > TEXT_BYTES_MAX || strpbrk(text, "+/=") != NULL)
        return false;
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    while (length % 4 != 0)
        out[length++] = '=';
    assert(length <= TEXT_BYTES_MAX);
    *out_length = length;
    return true;
}

bool cursor_write(struct buffer *out, const int64_t numbers[], size_t count, const char *id,
                  struct error *error)
{
    assert(count <= CURSOR_NUMBERS_MAX);
    char storage[PLAIN_BYTES_MAX + 1], text[TEXT_BYTES_MAX + 1];
    struct buffer plain;
    buffer_init_fixed(&plain, storage, sizeof storage);
    for (size_t i = 0; i < count; i++)
        if (!buffer_append_format(&plain, error, "%" PRId64 ":", numbers[i]))
            return false;
    if (!buffer_append_text(&plain, id, error))
        return false;
    base64_encode(plain.bytes, plain.length, text);
    return buffer_append(out, text, to_url(text, strlen(text)), error);
}

static bool read_number(const char **text, int64_t *out)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    long long number = strtoll(*text, &end, 10);
    if (*end != ':' || end - *text >= NUMBER_BYTES_MAX)
        return false;
    *out = number;
    *text = end + 1;
    return true;
}

bool cursor_parse(const char *text, size_t count, struct cursor *out)
{
    assert(count <= CURSOR_NUMBERS_MAX);
    char encoded[TEXT_BYTES_MAX + 1], plain[TEXT_BYTES_MAX + 1];
    size_t length;
    if (!from_url(text, encoded, &length) || !base64_decode(encoded, length, plain, &length))
        return false;
    plain[length] = '\0';
    const char *at = plain;
    for (size_t i = 0; i < count; i++)
        if (!read_number(&at, &out->numbers[i]))
            return false;
    size_t id_length = length - (size_t)(at - plain);
    if (!application_id_is_sound(at, id_length)) /* an older release took . and .. */
        return false;
    memcpy(out->id, at, id_length + 1);
    return true;
}
