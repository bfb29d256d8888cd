/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The segments of a journal, as far as they are in memory: what is there, oldest first.
 *
 * Owns:    the items; held by value, and freed by whoever holds it.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

struct journal_segment {
    uint64_t number;
    uint64_t bytes;
    bool is_scanned; /* it is known what it holds */
};

struct journal_row {               /* zeroed: none */
    struct journal_segment *items; /* owned */
    size_t count, capacity;
    size_t unscanned; /* of them */
};

/* As the newest, or in any order before journal_row_sort. */
MUST_CHECK bool journal_row_add(struct journal_row *row, struct journal_segment segment,
                                struct error *error);
void journal_row_sort(struct journal_row *row);
struct journal_segment *journal_row_last(const struct journal_row *row); /* of some */
struct journal_segment journal_row_take(struct journal_row *row, size_t index);
/* The place of a number, or that of the next one. */
size_t journal_row_find(const struct journal_row *row, uint64_t number);
void journal_row_note_scanned(struct journal_row *row, size_t index);
