/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Sends the signals of the dead again, a piece per call, each with bounded work.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"
#include "service/store/calls/claim.h"
#include "service/store/calls/filter.h"
#include "service/store/calls/place.h"

struct store;

struct replay_dead_query {
    struct store_filter filter;
    bool is_dry;    /* only counts */
    size_t limit;   /* matches of this call; a longer look for them is cut, too */
    int64_t gap_us; /* from one signal to the next */
    /* All from the answer before; of the first call -1, -1 and the beginning. The filter's
     * `until_ms` counts in the first call. */
    int64_t latest_death_ms; /* what dies later is left alone */
    int64_t next_due_us;
    struct store_place after;
};
struct replay_dead_result {
    size_t looked, matched;
    int64_t latest_death_ms, next_due_us;
    struct store_place next;
    /* Somebody else has changed these, and nobody was told yet. */
    const struct claim_damage *damaged;
    size_t damaged_count;
};
typedef void (*store_replay_dead_done)(void *context, const struct store_failure *failure,
                                       const struct replay_dead_result *result);
MUST_CHECK bool store_replay_dead(struct store *store, const struct replay_dead_query *query,
                                  store_replay_dead_done done, void *context, struct error *error);
