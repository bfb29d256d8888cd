/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/slot.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static unsigned crc16(const char *bytes, size_t length)
{
    unsigned crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)(unsigned char)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
    }
    return crc;
}

unsigned slot_of(const char *key)
{
    const char *open = strchr(key, '{');
    const char *close = open != NULL ? strchr(open, '}') : NULL;
    if (close == NULL || close == open + 1)
        return crc16(key, strlen(key)) % SLOT_COUNT;
    assert(close > open + 1);
    return crc16(open + 1, (size_t)(close - open - 1)) % SLOT_COUNT;
}
