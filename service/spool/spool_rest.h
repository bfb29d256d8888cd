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

#include "lib/base/error.h"

#include "service/store/shard.h"

struct shard_set { /* zeroed: none */
    uint64_t words[SHARD_COUNT_MAX / 64];
};

void shard_set_add(struct shard_set *set, unsigned shard);
bool shard_set_has(const struct shard_set *set, unsigned shard);

#define SPOOL_REST_DONE SIZE_MAX
struct spool_rest { /* zeroed: all of the segment */
    uint64_t segment;
    size_t firsts[SHARD_COUNT_MAX]; /* where the first record of each shard lies that has to come
                                       again, and all behind it; SPOOL_REST_DONE: none has to */
    int64_t oldest_us;              /* stamp of the first of its records */
    bool is_damaged;                /* it is to be kept for a person */
};

struct spool_rests {          /* zeroed: none */
    struct spool_rest *items; /* owned; oldest segment first, so that each is found quickly */
    size_t count, capacity;
};

void spool_rest_clear(struct spool_rest *rest); /* nothing has to come again */
void spool_rest_add(struct spool_rest *rest, unsigned shard, size_t offset, int64_t stamp_us);
bool spool_rest_has(const struct spool_rest *rest, unsigned shard);
bool spool_rest_is_some(const struct spool_rest *rest); /* not all of the segment is done */
size_t spool_rest_first(const struct spool_rest *rest); /* of all shards */
struct spool_rest *spool_rests_find(const struct spool_rests *rests,
                                    uint64_t segment); /* or NULL */
void spool_rests_forget(struct spool_rests *rests, uint64_t segment);
/* Room for one more. What has come must be remembered: it would come again, and be counted off
 * twice. */
MUST_CHECK bool spool_rests_reserve(struct spool_rests *rests, struct error *error);
/* After the above, or in place of what was known. */
void spool_rests_remember(struct spool_rests *rests, const struct spool_rest *rest);
