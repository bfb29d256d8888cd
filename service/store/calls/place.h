/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where a walk in the order of time goes on: what list and replay_dead have in common.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/redis_client.h"

struct script_call;

/* Behind this entry, whether it is still there or not. */
struct store_place {
    int64_t at_ms;
    const char *id; /* NULL: from the beginning; as an answer: there is no more */
    unsigned shard; /* of a walk that goes through one after the other */
};

/* Entries that one call looks at, so that a filter which fits nothing does not hold Redis. */
enum { PLACE_LOOK_MAX = 1000 };

/* Two arguments, as two answers: time and id. */
void place_add(struct script_call *call, const struct store_place *place);
/* Within a walk through all shards. */
struct store_place place_in_walk(const struct script_call *call, const struct redis_reply *reply,
                                 size_t index);
/* Of a walk of its own in each shard, or of the only one. */
struct store_place place_at(const struct redis_reply *reply, size_t index);
