/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Group commit: events gathered while the previous commit is on its way go to Redis together.
 *
 * When no script call is on its way, what has been gathered is sent at once, so a lone event waits
 * for nothing. Another call follows as soon as at least half as many events are gathered as are on
 * their way: Redis finds the next call when it is done with one, and the calls stay large, since
 * each costs it as much as several events.
 *
 * Owns:    the places of its events; their texts stay their owners' until `done`.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

#include "service/store/store.h"

struct batch;
struct metric;
struct service_view;
struct spool_batch;

enum {
    BATCH_CALLS_MAX = 4,          /* on their way to one shard at a time */
    BATCH_CALL_EVENTS_MAX = 1000, /* one script call: Redis serves nobody else meanwhile */
    BATCH_CALL_BYTES_MAX = 1024 * 1024,
    BATCH_OPEN_BYTES_MAX = 32 * 1024 * 1024,
};

struct batch_result {
    const struct store_failure *failure;
    const struct accept_result *result; /* NULL unless the failure is STORE_OK; a spooled one has
                                           no event_id but its own */
    struct durability durability;       /* of the commit */
};
/* Exactly once per event that was added. `index` is the caller's own. */
typedef void (*batch_done)(void *context, size_t index, const struct batch_result *result);

/* `open_events_max`: gathered and not sent yet. */
MUST_CHECK struct batch *batch_create(struct store *store, const struct service_view *view,
                                      struct metric *metrics, size_t open_events_max,
                                      struct error *error);
/* After the store: whatever was not sent ends STORE_UNAVAILABLE. Accepts NULL. */
void batch_destroy(struct batch *batch);
DEFINE_AUTO(batch);

/* Where events go that Redis does not take; borrowed, and goes after the batch. */
void batch_use_spool(struct batch *batch, struct spool_batch *spool);

/* Whether `events` more of `bytes` together fit and are in memory's reach: then adding them cannot
 * fail. An empty batch takes any request. ERROR_FULL or ERROR_MEMORY. */
MUST_CHECK bool batch_reserve(struct batch *batch, size_t events, size_t bytes,
                              struct error *error);
/* The bytes that an event counts. */
size_t batch_item_bytes(const struct accept_item *item);
void batch_add(struct batch *batch, const struct accept_item *item, batch_done done, void *context,
               size_t index);
/* Sends what is to be sent now. To be called in each turn of the loop. Whether it sent anything
 * that will not be leased to us, so that somebody has to claim it. */
bool batch_turn(struct batch *batch);
