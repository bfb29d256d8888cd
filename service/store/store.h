/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Applications and their signals in Redis: the only store. Every change is one of the scripts in
 * store/calls, beside the call that sends it. Here is the connection; the calls come along. The
 * data may be spread over many shards: a call about one application goes to its shard, any other to
 * all of them, and their answers become one.
 *
 * All calls are asynchronous: they queue a command on this store's own connection and `done` is
 * called from store_turn, exactly once per call that returned true. Texts passed in are copied,
 * texts passed to `done` are borrowed for that call.
 *
 * Owns:    its Redis connections, one to each node; the event loop that they are watched in is
 *          borrowed.
 * Threads: one, the loop's; every loop creates its own.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/host.h"
#include "lib/net/redis_client.h"

#include "service/store/call_failure.h"
#include "service/store/calls/accept.h"
#include "service/store/calls/census.h"
#include "service/store/calls/claim.h"
#include "service/store/calls/draft.h"
#include "service/store/calls/drain.h"
#include "service/store/calls/forget.h"
#include "service/store/calls/forget_dead.h"
#include "service/store/calls/history.h"
#include "service/store/calls/list.h"
#include "service/store/calls/move.h"
#include "service/store/calls/notify.h"
#include "service/store/calls/pause.h"
#include "service/store/calls/read.h"
#include "service/store/calls/replay.h"
#include "service/store/calls/replay_dead.h"
#include "service/store/calls/settle.h"
#include "service/store/durability.h"
#include "service/store/health.h"

struct due_table;
struct event_loop;
struct shard_map;
struct store;

struct store_options {
    bool (*locate)(void *context, struct redis_url *out, struct error *error);
    void *context;
    struct tls_files tls;     /* borrowed: outlive it */
    struct durability demand; /* the least to accept */
    int64_t ttl_ms;           /* of delivered applications and drafts */
    int64_t lease_ms;
    int64_t age_max_ms; /* an expired lease of an event older than this is dead */
    const char *prefix; /* of all keys; NULL: SHARD_PREFIX_DEFAULT; borrowed only by store_create */
    unsigned shard_count;  /* that the data is spread over, or is to be; 0: one */
    struct due_table *due; /* of all stores of this process, with as many shards; borrowed: outlives
                              them. NULL: what other stores do is found out later */
    struct shard_map *map; /* of the cluster that `locate` has seeds of; of all stores, as above;
                              NULL: there is one Redis */
    /* Of SEEK: signals of another one are not touched. NULL: that does not count. Borrowed:
     * outlives the store. */
    const char *environment;
    const char *role; /* "intake-0": for logs; borrowed: outlives the store */
    struct store_metrics metrics;
    bool is_quiet;   /* another store of this process tells of the same Redis: this one logs its
                        changes of state for debugging only */
    bool is_visitor; /* looks, and leaves no layout and no environment behind */
};

/* The loop outlives the store. */
MUST_CHECK struct store *store_create(const struct store_options *options, struct event_loop *loop,
                                      struct error *error);
void store_destroy(struct store *store); /* open calls end STORE_UNAVAILABLE; accepts NULL */
DEFINE_AUTO(store);

/* Before each poll of the loop: the longest wait until store_turn; -1: no limit. */
int64_t store_timeout_ms(const struct store *store, int64_t now_ms);
void store_turn(struct store *store, int64_t now_ms); /* after each poll */
void store_flush(struct store *store);

void store_health(const struct store *store, struct store_health *out);
/* Host and port, or the path, that it is connected with, or was last; "" for a cluster. */
const char *store_peer(const struct store *store);

struct store_node { /* of a cluster, that has a shard */
    char address[HOST_PORT_BYTES];
    unsigned shards;
    struct store_health health;
};
/* False: there is none with this number, as without a cluster. */
bool store_node(const struct store *store, size_t index, struct store_node *out);

unsigned store_shard_count(const struct store *store);
/* Whether calls to each shard can begin; a Redis that is full may refuse some. `error` may be NULL.
 */
MUST_CHECK bool store_are_all_ready(const struct store *store, struct error *error);
/* Whether events of this shard can be taken now, and how durable they get; NULL: of no interest. */
bool store_takes_events_for(const struct store *store, unsigned shard, struct durability *out);

/* Whether a call about this application can begin. */
bool store_leads_to(const struct store *store, const char *application_id);

bool store_has_connected(const struct store *store); /* ever */
