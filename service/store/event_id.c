/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/event_id.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static const char zeros[] = "00000000";
static const char hex[] = "0123456789abcdef";

enum { KEPT = ATTEMPT_ID_BYTES - sizeof zeros }; /* characters that are no zero of the end */

/* Where the two digits of each byte stand: 0a0b0c0d-1111-4222-8333-4444. */
static const unsigned char places[EVENT_ID_SHORT_BYTES] = {0,  2,  4,  6,  9,  11,
                                                           14, 16, 19, 21, 24, 26};

static bool has_hyphens(const char *event_id)
{
    return event_id[8] == '-' && event_id[13] == '-' && event_id[18] == '-' && event_id[23] == '-';
}

/* More than 15: it is no digit of ours. */
static unsigned value_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    return digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10 : 16;
}

size_t event_id_shorten(const char *event_id, unsigned char out[EVENT_ID_SHORT_BYTES])
{
    if (strlen(event_id) != ATTEMPT_ID_BYTES - 1 || strcmp(event_id + KEPT, zeros) != 0 ||
        !has_hyphens(event_id))
        return 0;
    unsigned all = 0;
    for (size_t i = 0; i < EVENT_ID_SHORT_BYTES; i++) {
        unsigned high = value_of(event_id[places[i]]), low = value_of(event_id[places[i] + 1]);
        all |= high | low;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return all < 16 ? EVENT_ID_SHORT_BYTES : 0;
}

static void write_whole(const unsigned char stored[EVENT_ID_SHORT_BYTES],
                        char out[ATTEMPT_ID_BYTES])
{
    for (size_t i = 0; i < EVENT_ID_SHORT_BYTES; i++) {
        out[places[i]] = hex[stored[i] >> 4];
        out[places[i] + 1] = hex[stored[i] & 0x0fU];
    }
    out[8] = out[13] = out[18] = out[23] = '-';
    memcpy(out + KEPT, zeros, sizeof zeros);
    assert(strlen(out) == ATTEMPT_ID_BYTES - 1);
}

void event_id_read(const char *stored, size_t length, char out[ATTEMPT_ID_BYTES])
{
    if (length == EVENT_ID_SHORT_BYTES) {
        write_whole((const unsigned char *)stored, out);
        return;
    }
    size_t kept = length < ATTEMPT_ID_BYTES - 1 ? length : ATTEMPT_ID_BYTES - 1;
    memcpy(out, stored, kept);
    if (kept == KEPT) {
        memcpy(out + kept, zeros, sizeof zeros - 1);
        kept += sizeof zeros - 1;
    }
    assert(kept < ATTEMPT_ID_BYTES);
    out[kept] = '\0';
}
