/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The workers between a real Redis and a SEEK that does what the test says. Every function aborts
 * the test with a message when it cannot do its work.
 *
 * Owns:    the pool and all around it, and standard error, in which no credential may appear.
 * Threads: one, the test's; the pool and its peers have their own.
 * Blocks:  up to POOL_PATIENCE_MS for what has to happen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "service/outbound/worker_pool.h"

#include "tests/support/fake_seek.h"
#include "tests/support/redis_server.h"
#include "tests/support/store_driver.h"
#include "tests/support/wait_until.h"

enum { POOL_PATIENCE_MS = 15000, POOL_WORKERS = 3, POOL_IN_FLIGHT_MAX = 12 };

#define EVENT_ID "0a0b0c0d-1111-4222-8333-444400000000"
#define CLIENT_SECRET "client-secret-that-nobody-may-see"

struct worker_pool_stand;

/* Around the whole program: libcurl, without a proxy, and the log as the stand reads it. */
int worker_pool_stand_begin(void **state);
int worker_pool_stand_finish(void **state);
/* Around each test; the state is the stand, whose pool has yet to be started. */
int worker_pool_stand_set_up(void **state);
int worker_pool_stand_tear_down(void **state);
#define SCENE(sentence, function)                                                                  \
    IT_WITH(sentence, function, worker_pool_stand_set_up, worker_pool_stand_tear_down)

struct fake_seek *seek_of(const struct worker_pool_stand *stand);
struct redis_server *redis_of(const struct worker_pool_stand *stand);
struct driver *driver_of(struct worker_pool_stand *stand);
/* These two once the pool is created. */
struct worker_pool *pool_of(const struct worker_pool_stand *stand);
struct sending_gate *gate_of(const struct worker_pool_stand *stand);

struct pool_variation { /* 0: as usual */
    unsigned workers, request_timeout_ms, breaker_failures, per_second, in_flight_max;
    int64_t lease_ms, retry_base_ms, retry_age_max_ms;
    bool is_upstream_logged;
    struct due_table *due; /* of as many shards, beside that of the driver */
};

/* One pool per test. */
void create_pool(struct worker_pool_stand *stand, const struct pool_variation *variation);
/* Beside it and for the caller, who destroys it; NULL when it could not be made. */
struct worker_pool *try_to_create_another(struct worker_pool_stand *stand, struct error *error);
void start_pool_with(struct worker_pool_stand *stand, const struct pool_variation *variation);
void start_pool(struct worker_pool_stand *stand); /* as usual */
struct worker_pool_end stop_pool(struct worker_pool_stand *stand, int64_t within_ms);

struct worker_pool_status status_of(const struct worker_pool_stand *stand);
unsigned count_in_log(const struct worker_pool_stand *stand, const char *word);

/* An event with EVENT_ID reaches the store, and the pool is told. */
void accept_one(struct worker_pool_stand *stand, const char *id, const char *seek_token);
/* …and the pool is not told. */
void accept_quietly(struct worker_pool_stand *stand, const char *id, const char *seek_token);
/* "A-0" with "seek-token-0", and so on. */
void accept_many(struct worker_pool_stand *stand, unsigned count);

/* These wait; the application is valid until the next call. */
const struct application *must_become(struct worker_pool_stand *stand, const char *id,
                                      enum delivery_state state);
const struct application *must_deliver(struct worker_pool_stand *stand, const char *id);
void must_deliver_many(struct worker_pool_stand *stand, unsigned count);

#define WAIT_UNTIL(condition) WAIT_UNTIL_WITHIN(POOL_PATIENCE_MS, condition)
