/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static void fill(void *bytes, size_t length)
{
    /* Up to 256 bytes come whole once the pool is initialised (getrandom(2)); only a signal before
     * that interrupts. A kernel without getrandom cannot run this program at all. */
    ssize_t got;
    do {
        got = getrandom(bytes, length, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)length)
        abort();
}

uint64_t random_u64(void)
{
    uint64_t value;
    fill(&value, sizeof value);
    return value;
}

void uuid_v4(char text[UUID_BYTES])
{
    unsigned char b[16];
    fill(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    (void)snprintf(text, UUID_BYTES,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
