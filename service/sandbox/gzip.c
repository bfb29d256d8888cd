/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/gzip.h"

#include <stdint.h>

enum { BLOCK_BYTES_MAX = 0xffff };

/* RFC 1952 section 8, bit by bit: nobody waits for the sandbox. */
static uint32_t crc_of(const char *bytes, size_t length)
{
    const uint32_t polynomial = 0xedb88320;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned char)bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return ~crc;
}

/* The lowest byte first. */
static bool append_number(struct buffer *buffer, uint32_t number, size_t count, struct error *error)
{
    char bytes[4];
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)(number >> 8 * i & 0xff);
    return buffer_append(buffer, bytes, count, error);
}

/* RFC 1951 section 3.2.4: whether it is the last, its length, the same inverted, the bytes. */
static bool append_block(struct buffer *buffer, const char *bytes, size_t length, bool is_last,
                         struct error *error)
{
    return append_number(buffer, is_last, 1, error) &&
           append_number(buffer, (uint32_t)length, 2, error) &&
           append_number(buffer, ~(uint32_t)length, 2, error) &&
           buffer_append(buffer, bytes, length, error);
}

bool gzip_append_stored(struct buffer *buffer, const char *bytes, size_t length,
                        struct error *error)
{
    /* deflate, no flags, no time, no hint, an unknown system */
    static const char head[] = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
    if (!buffer_append(buffer, head, sizeof head, error))
        return false;
    for (size_t begin = 0, size = 0; begin == 0 || begin < length; begin += size) {
        size = length - begin < BLOCK_BYTES_MAX ? length - begin : BLOCK_BYTES_MAX;
        if (!append_block(buffer, bytes + begin, size, begin + size == length, error))
            return false;
        if (size == 0)
            break;
    }
    return append_number(buffer, crc_of(bytes, length), 4, error) &&
           append_number(buffer, (uint32_t)length, 4, error);
}
