/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/array.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 16 };

void *array_reserve(void *items, size_t *capacity, size_t needed, size_t item_bytes)
{
    assert(needed > 0 && needed <= SIZE_MAX / 2 && item_bytes > 0);
    if (needed <= *capacity)
        return items;
    size_t larger = *capacity > 0 ? *capacity : CAPACITY_FIRST;
    while (larger < needed)
        larger *= 2;
    if (larger > SIZE_MAX / item_bytes)
        return NULL;
    void *moved = realloc(items, larger * item_bytes);
    if (moved != NULL)
        *capacity = larger;
    return moved;
}
