/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The part of each segment of the journal that has to come again, since its shards were away.
 *
 * Owns:    the items; held by value, and freed by whoever holds it.
 * Threads: one.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/store/shard.h"

struct shard_set { /* zeroed: none */
    uint64_t words[SHARD_COUNT_MAX / 64];
};

void shard_set_add(struct shard_set *set, unsigned shard);
bool shard_set_has(const struct shard_set *set, unsigned shard);

struct spool_rest {
    uint64_t segment;
    size_t offset;           /* before that all is done */
    int64_t oldest_us;       /* stamp of the first of its records */
    struct shard_set shards; /* all is done of the others */
    bool is_damaged;         /* it is to be kept for a person */
};

struct spool_rests {          /* zeroed: none */
    struct spool_rest *items; /* owned; oldest segment first, so that each is found quickly */
    size_t count, capacity;
};

bool spool_rest_is_some(const struct spool_rest *rest); /* not all of the segment is done */
struct spool_rest *spool_rests_find(const struct spool_rests *rests,
                                    uint64_t segment); /* or NULL */
void spool_rests_forget(struct spool_rests *rests, uint64_t segment);
/* Without memory for it all of the segment comes again, which changes nothing. */
void spool_rests_remember(struct spool_rests *rests, const struct spool_rest *rest);
