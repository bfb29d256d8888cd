/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The health of a connection to Redis.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/store/durability.h"

/* What preflight found; of a cluster, of all its nodes that have a shard. */
struct store_health {
    bool is_ready;    /* at least one node */
    bool is_refusing; /* ready for workers to drain, but whatever takes memory is refused: nothing
                         can be accepted */
    struct durability durability; /* what this Redis gives */
    bool is_foreign; /* not ready, since what lies there is another version's, is spread
                        otherwise, or belongs to another environment */
    bool has_fallen; /* that is less than Redis, or another one here, has given this process; while
                        none is ready: as it was */
    unsigned shard_count, shards_ready; /* of them, those that events can be written to */
    bool is_clock_known;
    int64_t clock_ahead_ms; /* Redis's clock, of this machine's wall clock */
    char reason[512]; /* one sentence: why not ready, why refusing, or a warning while ready; "" */
};

struct metric;

/* What a store counts in; NULL: nobody wants to know. Borrowed: outlive the store. */
struct store_metrics {
    struct metric *connects, *losses, *leases_expired;
    struct metric *round_trip; /* the newest of each turn */
};
