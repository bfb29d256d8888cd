/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/utf8.h"

#include <assert.h>
#include <string.h>

/* The Unicode Standard, table 3-7: the second byte is what keeps overlong forms, surrogates and
 * numbers over U+10FFFF out; the bytes after it are 80 to BF. */
static const struct utf8_form {
    unsigned char first_min, first_max, second_min, second_max, length;
} forms[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, /* U+0080 to U+07FF */
    {0xe0, 0xe0, 0xa0, 0xbf, 3}, /* U+0800 to U+0FFF */
    {0xe1, 0xec, 0x80, 0xbf, 3}, /* U+1000 to U+CFFF */
    {0xed, 0xed, 0x80, 0x9f, 3}, /* U+D000 to U+D7FF */
    {0xee, 0xef, 0x80, 0xbf, 3}, /* U+E000 to U+FFFF */
    {0xf0, 0xf0, 0x90, 0xbf, 4}, /* U+10000 to U+3FFFF */
    {0xf1, 0xf3, 0x80, 0xbf, 4}, /* U+40000 to U+FFFFF */
    {0xf4, 0xf4, 0x80, 0x8f, 4}, /* U+100000 to U+10FFFF */
};

static const struct utf8_form *form_of(unsigned char first)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (first >= forms[i].first_min && first <= forms[i].first_max)
            return &forms[i];
    }
    return NULL;
}

size_t utf8_character_length(const char *text, size_t length)
{
    if (length == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] < 0x80) /* nearly all of them */
        return 1;
    const struct utf8_form *form = form_of(bytes[0]);
    if (form == NULL || form->length > length)
        return 0;
    if (bytes[1] < form->second_min || bytes[1] > form->second_max)
        return 0;
    for (size_t i = 2; i < form->length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return form->length;
}

uint32_t utf8_decode(const char *character, size_t length)
{
    static const unsigned char payloads[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    assert(length >= 1 && length <= 4);
    uint32_t number = (unsigned char)character[0] & payloads[length];
    for (size_t i = 1; i < length; i++)
        number = number << 6 | ((unsigned char)character[i] & 0x3f);
    return number;
}

static bool are_all_ascii(const char *text)
{
    uint64_t eight;
    memcpy(&eight, text, sizeof eight);
    return (eight & 0x8080808080808080) == 0;
}

bool utf8_is_valid(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        if (length - at >= sizeof(uint64_t) && are_all_ascii(text + at)) {
            at += sizeof(uint64_t);
            continue;
        }
        size_t step = utf8_character_length(text + at, length - at);
        if (step == 0)
            return false;
        at += step;
        assert(at <= length);
    }
    return true;
}

size_t utf8_encode(uint32_t character, char bytes[4])
{
    assert(character <= 0x10ffff);
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    assert(character < 0x40); /* what the first byte has room for */
    static const unsigned char markers[] = {[2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
    bytes[0] = (char)(markers[length] | character);
    return length;
}
