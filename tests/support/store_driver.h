/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A store with its loop, for tests that want to read like calls: each must_ runs the loop until the
 * answer is there, and ends the test when it is not STORE_OK or does not come. Texts of answers are
 * copied and live until the next call.
 *
 * Owns:    store and loop.
 * Threads: one at a time.
 * Blocks:  until the answer, for at most ten seconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/metrics.h"

#include "service/store/store.h"

#include "tests/support/redis_server.h"

enum {
    DRIVER_TTL_MS = 3600000,
    DRIVER_LEASE_MS = 30000,
    DRIVER_AGE_MAX_MS = 60000,
    DRIVER_ITEMS_MAX = 16,
};

struct driver {
    struct event_loop *loop;
    struct store *store;
    struct redis_url url;
    struct metric connects, losses, leases_expired, round_trip;
    /* Of the last answer. */
    unsigned answers;
    struct store_failure failure;
    size_t count;
    struct accept_result accepted[DRIVER_ITEMS_MAX];
    struct claim claims[DRIVER_ITEMS_MAX];
    struct claim_result claimed;
    struct claim_damage damaged[DRIVER_ITEMS_MAX];
    enum settle_outcome settled[DRIVER_ITEMS_MAX];
    enum replay_outcome replayed;
    char replay_damage[32];
    bool is_found;
    struct application application;
    struct store_census census;
    char texts[65536];
    size_t texts_length;
};

/* Options as above and DURABILITY_ANY; does not wait for Redis. */
void driver_start(struct driver *driver, const struct redis_server *server);
void driver_start_with(struct driver *driver, const struct redis_url *url,
                       const struct store_options *options);
void driver_stop(struct driver *driver);

void driver_turn(struct driver *driver);
void driver_must_become(struct driver *driver, bool is_ready); /* within ten seconds */
/* Until the calls so far are answered. */
void driver_settle_down(struct driver *driver);

/* Sends a call of one of the kinds whose answer is read, for answers that are odd. */
enum { DRIVER_KINDS = 6 };
void driver_send(struct driver *driver, unsigned kind);

/* Callbacks for calls made directly; the context is the driver. */
void driver_done(void *context, const struct store_failure *failure);
void driver_accept_done(void *context, const struct store_failure *failure,
                        const struct accept_result *results, size_t count);
void driver_claim_done(void *context, const struct store_failure *failure,
                       const struct claim_result *result);
void driver_settle_done(void *context, const struct store_failure *failure,
                        const enum settle_outcome *outcomes, size_t count);

void must_accept(struct driver *driver, const struct accept_item *items, size_t count);
/* One event, completed now; its outcome. */
enum accept_outcome must_accept_one(struct driver *driver, const char *id, const char *token,
                                    const char *event_id);
void must_put_token(struct driver *driver, const char *id, const char *token, const char *event_id);
void must_forget(struct driver *driver, const char *id);
enum replay_outcome must_replay(struct driver *driver, const char *id);
/* NULL when there is none. */
const struct application *must_get(struct driver *driver, const char *id);
size_t must_claim(struct driver *driver, size_t limit); /* how many; see driver->claims */
/* Exactly one, which is returned by value: its texts live until the next call. */
struct claim must_claim_one(struct driver *driver);
enum settle_outcome must_settle(struct driver *driver, const char *id, uint64_t generation,
                                enum settle_action action, int64_t delay_ms,
                                const struct verdict *verdict);
void must_count(struct driver *driver, int64_t due, int64_t dead);
