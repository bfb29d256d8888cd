/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Events come in: many of them, one script call, one commit.
 *
 * The straight way: the caller says how many of them it could begin to send at once (`places`), and
 * the same call leases it at most so many, as a claim would. Only where nothing else of the
 * application is out, never while sending is paused, and never while anything is due already: new
 * events do not overtake what waits. All others are pending, for whoever claims them.
 *
 * What is leased has a `lease` in its result, and then it is this caller's to send or to release,
 * under that fence, as soon as it is told, and at the latest when the lease ends, less the time
 * that an attempt may take; the lease runs from the moment at which store_accept was called. `done`
 * is called after the commit, at the level that the link demands, never before. Where that level
 * was not reached the results come all the same, with the failure: what they lease must not be sent
 * by the caller, who releases it. Where the answer is lost there are none: the next call gives back
 * what the script had leased, or store_give_back_lost does, which waits for no event.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/domain/delivery.h"
#include "service/store/call_failure.h"

struct store;

struct accept_item {
    const char *application_id;
    const char *seek_token; /* NULL: the stored one */
    const char *event_id;
    int64_t completed_at_ms; /* -1: now, by Redis's clock */
    const char *traceparent; /* NULL: none */
    int64_t came_us;         /* spool_stamp; 0: there is no spool */
    uint32_t life;           /* spool_life; 0: not known */
};
enum accept_outcome {
    ACCEPT_ACCEPTED,
    ACCEPT_DUPLICATE,
    ACCEPT_REPLACED,
    ACCEPT_NO_TOKEN,
    ACCEPT_DAMAGED /* the application's key holds something else */
};
struct accept_result {
    enum accept_outcome outcome;
    enum delivery_state state;
    const char *event_id;   /* of the first, of which this is a duplicate; else NULL */
    uint64_t lease;         /* generation of its first attempt, which is the caller's; 0: none */
    const char *seek_token; /* leased, and the event has none of its own: the stored one */
    int64_t accepted_at_ms; /* by Redis's clock: when it was completed, if the event does not say */
};
/* Of a process with a spool: it came to Redis when its answer was hardly awaited any more, so that
 * nothing was done. */
extern const struct store_failure accept_came_late;
/* `results` is NULL where nobody knows them. With a failure only their leases count. */
typedef void (*store_accept_done)(void *context, const struct store_failure *failure,
                                  const struct accept_result *results, size_t count);
/* All of one shard. Leases at most `places`, and none while SHARD_ACCEPTS_MAX calls with places are
 * on their way. */
MUST_CHECK bool store_accept(struct store *store, const struct accept_item *items, size_t count,
                             size_t places, store_accept_done done, void *context,
                             struct error *error);

/* What calls leased whose answers are lost: for each turn of who calls store_accept, behind
 * store_turn. */
void store_give_back_lost(struct store *store, int64_t now_ms);
int64_t store_give_back_timeout_ms(const struct store *store,
                                   int64_t now_ms); /* -1: none is lost */
