/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/journal_row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"

bool journal_row_add(struct journal_row *row, struct journal_segment segment, struct error *error)
{
    struct journal_segment *items =
        array_reserve(row->items, &row->capacity, row->count + 1, sizeof items[0]);
    if (items == NULL)
        return error_out_of_memory(error);
    row->items = items;
    row->items[row->count++] = segment;
    row->unscanned += !segment.is_scanned;
    assert(row->count <= row->capacity);
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct journal_segment *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

void journal_row_sort(struct journal_row *row)
{
    if (row->count > 1)
        qsort(row->items, row->count, sizeof row->items[0], compare);
}

struct journal_segment *journal_row_last(const struct journal_row *row)
{
    assert(row->count > 0);
    return &row->items[row->count - 1];
}

struct journal_segment journal_row_take(struct journal_row *row, size_t index)
{
    assert(index < row->count);
    struct journal_segment segment = row->items[index];
    row->count--;
    row->unscanned -= !segment.is_scanned;
    memmove(&row->items[index], &row->items[index + 1],
            (row->count - index) * sizeof row->items[0]);
    return segment;
}

size_t journal_row_find(const struct journal_row *row, uint64_t number)
{
    size_t first = 0, end = row->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (row->items[middle].number < number)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

void journal_row_note_scanned(struct journal_row *row, size_t index)
{
    assert(index < row->count && !row->items[index].is_scanned);
    row->items[index].is_scanned = true;
    row->unscanned--;
}
