/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * When each shard is to be asked for what is due, as far as this process knows: what its own calls
 * have put there, what the last claim answered, and what a look found. With one shard nobody needs
 * it; with many it spares Redis a claim for each shard that has nothing.
 *
 * A moment is raised by due_table_take alone, before the shard is asked; everybody else only lowers
 * it. So what becomes due after the question was put leads to another question.
 *
 * Owns:    nothing; held by value.
 * Threads: init by one, before the others; the rest any.
 * Blocks:  never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/store/shard.h"

enum {
    /* Everything that other processes have left behind is found after this many looks. */
    DUE_TABLE_LOOKS_MAX = 16,
    DUE_TABLE_LOOK_INTERVAL_MS = 1000,
};

struct due_table {
    unsigned count; /* of shards */
    _Atomic int64_t look_at_ms;
    _Atomic unsigned next_look; /* by turns */
    struct due_entry {
        _Atomic int64_t ask_at_ms; /* INT64_MAX: nothing is known to wait */
        _Atomic int64_t waiting;   /* as the last claim saw it, or a look: at least 1, or none */
        _Atomic bool is_paused;    /* the same */
    } entries[SHARD_COUNT_MAX];
};

/* All are to be asked at once. */
void due_table_init(struct due_table *table, unsigned count);
void due_table_lower(struct due_table *table, unsigned shard, int64_t at_ms);
void due_table_lower_all(struct due_table *table, int64_t at_ms);
void due_table_note_waiting(struct due_table *table, unsigned shard, size_t waiting);
void due_table_note_look(struct due_table *table, unsigned shard, bool is_something_waiting);
size_t due_table_waiting(const struct due_table *table); /* in all shards */
/* Whether a claim has something to do there besides what is due: sending is paused, or the clock
 * may have been set back, so that what waits has to be due sooner. */
bool due_table_has_waiting(const struct due_table *table, unsigned shard);

/* Whether sending goes on there by now, and was paused. A pause is written to one shard after the
 * other, so that for a while some have it; it counts as long as any of `is_there` has it: of one
 * that is away nobody knows whether it still has. */
bool due_table_note_paused(struct due_table *table, unsigned shard, bool is_paused);
bool due_table_is_paused(const struct due_table *table, const bool is_there[]);

/* Of the shards that `is_able` names, up to `max` that are due at `now_ms`, the oldest first; they
 * are the caller's to ask. */
size_t due_table_take(struct due_table *table, const bool is_able[], int64_t now_ms, size_t max,
                      unsigned out[]);
/* Something is due there, as far as is known, and nobody has asked for it yet. */
bool due_table_is_due(const struct due_table *table, unsigned shard, int64_t now_ms);
/* When the first of them is due; INT64_MAX: none is known to be. */
int64_t due_table_next_ms(const struct due_table *table, const bool is_able[]);
/* Shards that are to be looked at, by turns, DUE_TABLE_LOOKS_MAX in each interval; 0: not yet. */
size_t due_table_take_looks(struct due_table *table, const bool is_able[], int64_t now_ms,
                            unsigned out[DUE_TABLE_LOOKS_MAX]);
