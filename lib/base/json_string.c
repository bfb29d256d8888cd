/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/json_string.h"

#include <assert.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/json.h"
#include "lib/base/terminal.h"
#include "lib/base/utf8.h"

static bool is_plain(char byte)
{
    return ascii_is_printable(byte) && byte != '"' && byte != '\\';
}

/* Eight bytes at once, since most of what the service does with strings is this. Subtracting 1
 * from each byte sets the top bit of those that were 0, and a difference of 0 is what is looked
 * for. The borrow can accuse a byte behind a guilty one, but nothing in an innocent eight. */
static bool are_all_plain(const char *text)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t eight;
    memcpy(&eight, text, sizeof eight);
    uint64_t guilty = eight | (eight - ones * 0x20) | ((eight ^ ones * '"') - ones) |
                      ((eight ^ ones * '\\') - ones) | ((eight ^ ones * 0x7f) - ones);
    return (guilty & tops) == 0;
}

size_t json_string_plain_length(const char *text, size_t length)
{
    size_t at = 0;
    while (length - at >= sizeof(uint64_t) && are_all_plain(text + at))
        at += sizeof(uint64_t);
    /* What is left of a plain end is in its last eight bytes. */
    size_t left = length - at;
    if (left > 0 && left < sizeof(uint64_t) && length >= sizeof(uint64_t) &&
        are_all_plain(text + length - sizeof(uint64_t)))
        return length;
    while (at < length && is_plain(text[at]))
        at++;
    assert(at <= length);
    return at;
}

/* The number in "\uXXXX" at `text`; -1 for anything else. */
static int32_t escaped_unit(const char *text, size_t length)
{
    if (length < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    int32_t number = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = ascii_hex_value(text[i]);
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Characters over U+FFFF are written as two escapes, high surrogate first. */
static size_t read_unicode_escape(const char *text, size_t length, struct json_character *out,
                                  const char **why)
{
    int32_t unit = escaped_unit(text, length);
    *why = unit < 0    ? "an escape without four hexadecimal digits"
           : unit == 0 ? "an escaped NUL"
                       : "half a surrogate pair";
    if (unit <= 0 || is_low_surrogate(unit))
        return 0;
    uint32_t character = (uint32_t)unit;
    size_t written = 6;
    if (is_high_surrogate(unit)) {
        int32_t low = escaped_unit(text + 6, length - 6);
        if (!is_low_surrogate(low))
            return 0;
        character = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
        written = 12;
    }
    out->length = utf8_encode(character, out->bytes);
    assert(written <= length);
    return written;
}

static size_t read_escape(const char *text, size_t length, struct json_character *out,
                          const char **why)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (length >= 2 && text[1] == 'u')
        return read_unicode_escape(text, length, out, why);
    *why = "an unknown escape";
    const char *letter = length >= 2 ? memchr(letters, text[1], sizeof letters - 1) : NULL;
    if (letter == NULL)
        return 0;
    *out = (struct json_character){.bytes = {meanings[letter - letters]}, .length = 1};
    return 2;
}

size_t json_string_read(const char *text, size_t length, struct json_character *out,
                        const char **why)
{
    if (length > 0 && text[0] == '\\')
        return read_escape(text, length, out, why);
    size_t bytes = utf8_character_length(text, length);
    bool is_control = bytes == 1 && (unsigned char)text[0] < 0x20;
    *why = is_control ? "a control character in a string" : "invalid UTF-8";
    if (bytes == 0 || is_control)
        return 0;
    assert(bytes <= length && bytes <= sizeof out->bytes);
    out->length = bytes;
    memcpy(out->bytes, text, bytes);
    return bytes;
}

/* Goes over text already found valid. Returns the length of a run's written form, and the
 * characters that it stands for in `out_bytes`: the text itself where it can, `storage` otherwise.
 */
static size_t next_run(const char *text, size_t length, struct json_character *storage,
                       const char **out_bytes, size_t *out_length)
{
    size_t written = json_string_plain_length(text, length);
    *out_bytes = text;
    *out_length = written;
    if (written > 0)
        return written;
    const char *why;
    written = json_string_read(text, length, storage, &why);
    assert(written > 0);
    assert(written <= length);
    *out_bytes = storage->bytes;
    *out_length = storage->length;
    return written;
}

bool json_string_unescape(const char *text, size_t length, struct buffer *out, struct error *error)
{
    size_t before = out->length;
    while (length > 0) {
        struct json_character storage;
        const char *bytes;
        size_t count;
        size_t written = next_run(text, length, &storage, &bytes, &count);
        if (!buffer_append(out, bytes, count, error)) {
            buffer_truncate(out, before);
            return false;
        }
        text += written;
        length -= written;
    }
    return true;
}

bool json_string_equals(const char *text, size_t length, const char *plain)
{
    while (length > 0) {
        struct json_character storage;
        const char *bytes;
        size_t count;
        size_t written = next_run(text, length, &storage, &bytes, &count);
        if (strncmp(plain, bytes, count) != 0)
            return false;
        plain += count;
        text += written;
        length -= written;
    }
    return *plain == '\0';
}

/* Two-character escapes where JSON has them; what a terminal would obey is escaped too, although
 * JSON does not ask for it. */
static bool append_escaped(struct buffer *buffer, const char *character, size_t length,
                           struct error *error)
{
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *found = length == 1 ? memchr(special, character[0], sizeof special - 1) : NULL;
    if (found != NULL)
        return buffer_append_format(buffer, error, "\\%c", letters[found - special]);
    uint32_t number = utf8_decode(character, length);
    return terminal_shows(number) ? buffer_append(buffer, character, length, error)
                                  : terminal_append_escape(buffer, number, error);
}

static bool append_inside(struct buffer *buffer, const char *text, size_t length,
                          struct error *error)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    while (length > 0) {
        size_t step = json_string_plain_length(text, length);
        bool is_plain = step > 0;
        if (!is_plain)
            step = utf8_character_length(text, length);
        bool is_valid = step > 0;
        bool is_appended = is_plain   ? buffer_append(buffer, text, step, error)
                           : is_valid ? append_escaped(buffer, text, step, error)
                                      : buffer_append_text(buffer, replacement, error);
        if (!is_appended)
            return false;
        assert(step <= length);
        text += is_valid ? step : 1;
        length -= is_valid ? step : 1;
    }
    return true;
}

/* Most strings are plain from end to end, and fit into the room that is there. */
static bool append_whole(struct buffer *buffer, const char *text, size_t length)
{
    static const size_t quotes = 2;
    size_t after = buffer->length + length + quotes;
    if (after >= buffer->capacity || after > buffer->length_max ||
        json_string_plain_length(text, length) != length)
        return false;
    char *at = buffer->bytes + buffer->length;
    *at++ = '"';
    memcpy(at, text, length);
    at[length] = '"';
    at[length + 1] = '\0';
    buffer->length = after;
    assert(buffer->length < buffer->capacity);
    return true;
}

bool json_append_string(struct buffer *buffer, const char *text, size_t length, struct error *error)
{
    if (append_whole(buffer, text, length))
        return true;
    size_t before = buffer->length;
    if (buffer_append(buffer, "\"", 1, error) && append_inside(buffer, text, length, error) &&
        buffer_append(buffer, "\"", 1, error))
        return true;
    buffer_truncate(buffer, before);
    return false;
}
