/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A real Redis Cluster for each test, with a driven store on it, and events by number.
 *
 * Owns:    the cluster, the map, and the store of `driver` from start to stop.
 * Threads: one at a time.
 * Blocks:  until all is well, for at most twenty seconds.
 */
#pragma once

#include <stdbool.h>

#include "tests/support/redis_cluster.h"
#include "tests/support/store_driver.h"

struct shard_map;

enum { SHARDS = 12, MANY = 60 };

extern struct redis_cluster cluster;
extern struct driver driver;
extern struct shard_map *map;

/* Three masters, each with a replica or without. */
int start_cluster(void **state);
int start_masters(void **state);
int stop_cluster(void **state);

#define ON_SIX(sentence, function) IT_WITH(sentence, function, start_cluster, stop_cluster)
#define ON_THREE(sentence, function) IT_WITH(sentence, function, start_masters, stop_cluster)

/* The store: with these seeds, until so many shards are ready, or all. */
void start_at(const struct redis_url *url);
void start_with_shards(unsigned ready);
void start(void);
void stop(void);
void wait_for_shards(unsigned ready);
unsigned slot_of_shard(unsigned shard);

const char *name(unsigned number); /* of an application; the last eight are kept */
const char *event_of(unsigned number);
bool try_to_accept(unsigned number); /* whether it was taken; a refusal is an answer */
void accept_in_the_end(unsigned number);
void claim_everything(unsigned most);
