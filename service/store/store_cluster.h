/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A store's side of a cluster: a link to each node that has a shard, after the map that all stores
 * of the process share.
 *
 * Owns:    the scout; the links are the store's.
 * Threads: one, the store's.
 * Blocks:  never.
 */
#pragma once

#include "service/store/cluster_scout.h"
#include "service/store/shard_map.h"
#include "service/store/store_internal.h"

struct store_cluster {
    struct shard_map *map;                  /* borrowed */
    uint64_t version;                       /* of the map, as the links are */
    struct store_link_options link_options; /* of each link, without its node */
    bool is_short;                          /* of memory, to follow the map */
    int64_t follow_at_ms;                   /* then it is tried again */
    struct cluster_scout scout;
    struct shard_map_follower follower;
    struct shard_nodes nodes;   /* scratch */
    struct store_health health; /* of all links, as of the last turn */
    bool was_whole;             /* all shards were ready once */
    int64_t alone_since_ms;     /* when the first ones were, before that; 0: none */
    bool is_held;               /* no shard is used: see store_cluster.c */
    size_t moving;              /* calls that are to go on to another link */
    bool is_closing;
};

MUST_CHECK bool store_cluster_create(struct store *store,
                                     const struct store_link_options *link_options,
                                     struct error *error);
void store_cluster_destroy(struct store *store); /* after the links */
int64_t store_cluster_timeout_ms(const struct store *store, int64_t now_ms);
/* Follows the map, after the links' turns: makes links, gives them their shards, ends those that
 * have none. */
void store_cluster_turn(struct store *store, int64_t now_ms);
