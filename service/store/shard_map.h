/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Which node of a Redis Cluster has which shard, for all stores of a process. A store that meets a
 * node that is away, or that sends it elsewhere, wants a new map; one of the stores then asks
 * (cluster_scout.h), at most once in SHARD_MAP_INTERVAL_MS, and the others are woken where it has
 * changed, and find the new version.
 *
 * A node that is cut off tells what was true before, so what is older, by the cluster's epoch, than
 * what is known counts only when nobody knows better.
 *
 * Owns:    the addresses.
 * Threads: any.
 * Blocks:  for moments, on its lock.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"
#include "lib/net/redis_url.h"

#include "service/store/shard.h"

enum { SHARD_MAP_INTERVAL_MS = 1000, SHARD_MAP_REASON_BYTES = 256 };

struct shard_nodes {
    size_t count;
    struct redis_address nodes[SHARD_COUNT_MAX]; /* those that have a shard */
    int node_of[SHARD_COUNT_MAX]; /* by shard; -1: no node has its slot, or nobody knows where */
};

struct shard_map;
struct event_loop;

struct shard_map_follower {
    struct event_loop *loop;              /* borrowed: is woken, and turns its store */
    LIST_ENTRY(shard_map_follower) links; /* the map's */
};

/* Of so many shards, whose keys begin so. */
MUST_CHECK struct shard_map *shard_map_create(const char *prefix, unsigned shard_count,
                                              struct error *error);
void shard_map_destroy(struct shard_map *map); /* accepts NULL */
DEFINE_AUTO(shard_map);

uint64_t shard_map_version(const struct shard_map *map); /* 0: nothing is known yet */
/* `out`: the nodes; gives their version. */
uint64_t shard_map_copy(struct shard_map *map, struct shard_nodes *out);
/* From here on until it is left the follower lies where it is, and its loop lives. */
void shard_map_follow(struct shard_map *map, struct shard_map_follower *follower);
void shard_map_leave(struct shard_map *map, struct shard_map_follower *follower);
/* Why nothing newer is known; "" */
void shard_map_reason(struct shard_map *map, char out[SHARD_MAP_REASON_BYTES]);

/* What is known is out of date, or seems to be. */
void shard_map_want(struct shard_map *map);
/* Until somebody may ask: -1: nobody needs to; 0: now. */
int64_t shard_map_wait_ms(struct shard_map *map, int64_t now_ms);
/* True for the one who is to ask now; shard_map_found or shard_map_abandon is owed. */
bool shard_map_begin(struct shard_map *map, int64_t now_ms);
void shard_map_abandon(struct shard_map *map, int64_t now_ms);
/* False: it is older than what is known, and nothing is changed; with `is_last_word` it counts. */
bool shard_map_found(struct shard_map *map, const struct shard_nodes *nodes, uint64_t epoch,
                     bool is_last_word, int64_t now_ms);
void shard_map_note_trouble(struct shard_map *map, const char *reason);
/* All nodes were asked in vain: a line of the log, unless it has said so for this reason already.
 */
void shard_map_note_lost(struct shard_map *map, const char *addresses);

/* Reads an answer to CLUSTER SLOTS that came from `asked`, whose host stands for one that a node
 * leaves out. A shard whose node has no address has none. False: it is no such answer, or leads
 * nowhere, with the reason. */
MUST_CHECK bool shard_map_read(const struct shard_map *map, const struct redis_reply *reply,
                               const char *asked, struct shard_nodes *out, struct error *error);
/* The address in "MOVED 866 10.0.0.1:6379"; `asked` as above. False: this is none, or "?", which
 * only the map can tell. */
bool shard_map_read_moved(const char *answer, const char *asked, struct redis_address *out);
