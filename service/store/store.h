/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Applications and their signals in Redis: the only store. Every change is one of the scripts in
 * store/scripts. Here is the connection; the calls are in applications.h, leases.h and
 * operations.h, which come along.
 *
 * All calls are asynchronous: they queue a command on this store's own connection and `done` is
 * called from store_turn, exactly once per call that returned true. Texts passed in are copied,
 * texts passed to `done` are borrowed for that call.
 *
 * Owns:    one Redis connection.
 * Threads: one at a time; every loop creates its own.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

#include "service/store/applications.h"
#include "service/store/call_failure.h"
#include "service/store/durability.h"
#include "service/store/leases.h"
#include "service/store/operations.h"

struct store;

struct store_options {
    bool (*locate)(void *context, struct redis_url *out, struct error *error);
    void *context;
    const char *ca_file;      /* borrowed: outlives the store */
    struct durability demand; /* the least to accept */
    int64_t ttl_ms;           /* of delivered applications and drafts */
    int64_t lease_ms;
    int64_t age_max_ms; /* an expired lease of an event older than this is dead */
    const char *role;   /* "intake-0": for logs; borrowed: outlives the store */
    bool is_quiet;      /* another store of this process tells of the same Redis: this one logs its
                           changes of state for debugging only */
};

MUST_CHECK struct store *store_create(const struct store_options *options, struct error *error);
void store_destroy(struct store *store); /* open calls end STORE_UNAVAILABLE; accepts NULL */
DEFINE_AUTO(store);

void store_interest(const struct store *store, int64_t now_ms, struct redis_interest *out);
void store_turn(struct store *store, int64_t now_ms, bool is_readable, bool is_writable);
void store_flush(struct store *store);

/* What preflight found. */
struct store_health {
    bool is_ready;
    bool is_refusing; /* ready for workers to drain, but whatever takes memory is refused: nothing
                         can be accepted */
    struct durability durability; /* what this Redis gives */
    char reason[256]; /* one sentence: why not ready, why refusing, or a warning while ready; "" */
};
void store_health(const struct store *store, struct store_health *out);
/* Each commit is followed by WAIT or WAITAOF, and those behind it stand still meanwhile: several on
 * their way would together outlast the time-out for an answer. */
bool store_is_confirming(const struct store *store);
size_t store_pending(const struct store *store); /* calls not answered yet */

struct store_counters { /* since creation; for metrics */
    uint64_t connects, losses, fenced, leases_expired;
    int64_t last_round_trip_us;
};
void store_counters(const struct store *store, struct store_counters *out);
