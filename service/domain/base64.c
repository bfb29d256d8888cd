/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t length, char *out)
{
    const unsigned char *in = bytes;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16;
        if (i + 1 < length)
            bits |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < length)
            bits |= in[i + 2];
        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 63];
        *out++ = (char)(i + 1 < length ? alphabet[bits >> 6 & 63] : '=');
        *out++ = (char)(i + 2 < length ? alphabet[bits & 63] : '=');
    }
    *out = '\0';
}

static int digit_value(char digit)
{
    const char *found = digit != '\0' ? strchr(alphabet, digit) : NULL;
    return found != NULL ? (int)(found - alphabet) : -1;
}

bool base64_decode(const char *text, size_t length, char *out, size_t *out_length)
{
    if (length % 4 != 0)
        return false;
    size_t digits = length;
    while (length - digits < 2 && digits > 0 && text[digits - 1] == '=')
        digits--;

    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t written = 0;
    for (size_t i = 0; i < digits; i++) {
        int value = digit_value(text[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            out[written++] = (char)(unsigned char)(bits >> bit_count);
            bits &= (UINT32_C(1) << bit_count) - 1;
        }
    }
    if (bits != 0)
        return false;
    *out_length = written;
    return true;
}
