/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/percent.h"

#include <assert.h>

#include "lib/base/ascii.h"

enum percent_outcome percent_decode(const char *text, size_t length, char *out, size_t size,
                                    size_t *out_length)
{
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];
        if (byte == '%') {
            int high = i + 2 < length ? ascii_hex_value(text[i + 1]) : -1;
            int low = high >= 0 ? ascii_hex_value(text[i + 2]) : -1;
            if (low < 0)
                return PERCENT_BROKEN;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (written + 1 >= size)
            return PERCENT_TOO_LONG;
        out[written++] = byte;
    }
    assert(written < size);
    out[written] = '\0';
    *out_length = written;
    return PERCENT_DECODED;
}
