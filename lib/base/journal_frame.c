/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/journal_frame.h"

#include <assert.h>
#include <stdint.h>

#include "lib/base/crc32c.h"

enum { LENGTH_BYTES = 4, HEAD_BYTES = 8 };

static void put_u32(char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (char)(unsigned char)(value >> 8 * i);
}

static uint32_t get_u32(const char *at)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)(unsigned char)at[i] << 8 * i;
    return value;
}

/* The length is summed too: a flipped bit in it would otherwise make a record of what is none, and
 * a run of zeroes would be one long row of empty records. */
static uint32_t sum(const char *head, size_t payload_length)
{
    return crc32c(crc32c(0, head, LENGTH_BYTES), head + HEAD_BYTES, payload_length);
}

bool journal_frame_open(struct buffer *out, size_t *out_start, struct error *error)
{
    static const char head[HEAD_BYTES] = {0};
    size_t start = out->length;
    if (!buffer_append(out, head, sizeof head, error))
        return false;
    *out_start = start;
    return true;
}

bool journal_frame_close(struct buffer *out, size_t start, struct error *error)
{
    assert(start + HEAD_BYTES <= out->length);
    char *head = out->bytes + start;
    size_t length = out->length - start - HEAD_BYTES;
    if (length > JOURNAL_PAYLOAD_BYTES_MAX)
        return error_set(error, ERROR_FULL, "a record has at most %d bytes",
                         JOURNAL_PAYLOAD_BYTES_MAX);
    put_u32(head, (uint32_t)length);
    put_u32(head + LENGTH_BYTES, sum(head, length));
    return true;
}

static bool is_record(const char *at, size_t left)
{
    if (left < HEAD_BYTES)
        return false;
    size_t length = get_u32(at);
    return length <= JOURNAL_PAYLOAD_BYTES_MAX && length <= left - HEAD_BYTES &&
           get_u32(at + LENGTH_BYTES) == sum(at, length);
}

static bool is_cut_short(const char *at, size_t left)
{
    if (left < HEAD_BYTES)
        return true;
    size_t length = get_u32(at);
    return length <= JOURNAL_PAYLOAD_BYTES_MAX && length > left - HEAD_BYTES;
}

/* Up to the next record, or to the end. */
static size_t damage_length(const char *bytes, size_t length)
{
    size_t next = 1;
    while (next < length && !is_record(bytes + next, length - next))
        next++;
    assert(next <= length);
    return next;
}

enum journal_found journal_frame_next(const char *bytes, size_t length, size_t *offset,
                                      struct journal_piece *out)
{
    size_t start = *offset;
    assert(start <= length);
    if (start == length)
        return JOURNAL_END;
    if (is_record(bytes + start, length - start)) {
        size_t payload = get_u32(bytes + start);
        *out = (struct journal_piece){start, bytes + start + HEAD_BYTES, payload};
        *offset = start + HEAD_BYTES + payload;
        assert(*offset <= length);
        return JOURNAL_RECORD;
    }
    *out = (struct journal_piece){.start = start,
                                  .length = damage_length(bytes + start, length - start)};
    *offset = start + out->length;
    bool is_torn = *offset == length && is_cut_short(bytes + start, length - start);
    return is_torn ? JOURNAL_TORN : JOURNAL_DAMAGE;
}
