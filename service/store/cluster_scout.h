/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Asks a Redis Cluster which node has what, when the map is out of date and nobody else asks: the
 * nodes that are known, then the seeds of the URL, one after the other until one answers.
 *
 * Owns:    a connection while it asks; the event loop that it is watched in is borrowed.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/redis_client.h"

#include "service/store/shard_map.h"

struct cluster_scout_options { /* as in struct store_options */
    bool (*locate)(void *context, struct redis_url *out, struct error *error);
    void *context;
    struct tls_files tls;  /* borrowed: outlive it */
    struct shard_map *map; /* borrowed: outlives it */
};

struct cluster_scout {
    struct cluster_scout_options options;
    struct event_loop *loop;
    struct redis_client *client; /* owned; NULL: it is not asking */
    char asked[256];             /* the host */
    char tried[512];             /* addresses in vain since all were last, for the log */
    size_t tries;
    size_t turn;       /* at the nodes to ask */
    size_t refused;    /* what was older than what is known, so far */
    size_t candidates; /* as many as there were at the last attempt */
    uint64_t epoch;
    bool is_epoch_known, is_done;
    struct shard_nodes nodes; /* scratch */
};

void cluster_scout_init(struct cluster_scout *scout, const struct cluster_scout_options *options,
                        struct event_loop *loop);
void cluster_scout_fini(struct cluster_scout *scout);
int64_t cluster_scout_timeout_ms(const struct cluster_scout *scout, int64_t now_ms);
void cluster_scout_turn(struct cluster_scout *scout, int64_t now_ms);
