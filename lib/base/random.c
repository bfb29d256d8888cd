/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Each event needs some, and a system call costs more than the bytes: so they are fetched for
 * several. Up to 256 bytes come whole once the kernel's pool is initialised (getrandom(2)). */
enum { STOCK_BYTES = 256 };

static _Thread_local struct {
    unsigned char bytes[STOCK_BYTES];
    size_t left;
} stock;

static void restock(void)
{
    /* Only a signal before the pool is initialised interrupts. A kernel without getrandom cannot
     * run this program at all. */
    ssize_t got;
    do {
        got = getrandom(stock.bytes, STOCK_BYTES, 0);
    } while (got < 0 && errno == EINTR);
    if (got != STOCK_BYTES)
        abort();
    stock.left = STOCK_BYTES;
}

static void take(void *bytes, size_t length)
{
    assert(length <= STOCK_BYTES);
    if (stock.left < length)
        restock();
    stock.left -= length;
    assert(stock.left <= STOCK_BYTES - length);
    memcpy(bytes, stock.bytes + stock.left, length);
}

uint64_t random_u64(void)
{
    uint64_t value;
    take(&value, sizeof value);
    return value;
}

void uuid_v4(char text[UUID_BYTES])
{
    unsigned char bytes[16];
    take(bytes, sizeof bytes);
    uuid_write(bytes, text);
}
