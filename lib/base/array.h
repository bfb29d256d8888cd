/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An array on the heap that grows with what is put into it: its owner has the items, how many there
 * is room for, and how many there are.
 *
 *     struct item *items = array_reserve(list->items, &list->room, list->count + 1, sizeof *items);
 *     if (items == NULL)
 *         return error_out_of_memory(error);
 *     list->items = items;
 *
 * Owns: nothing: the array is its owner's, to be freed by free. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

#include "lib/base/error.h"

/* Where the items are now, with room for `needed` of them at least, so that `*capacity` doubles as
 * often as it has to. NULL: out of memory; the array is as it was. */
MUST_CHECK void *array_reserve(void *items, size_t *capacity, size_t needed, size_t item_bytes);
