/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Forgets the dead, a piece per call, each with bounded work.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"
#include "service/store/calls/filter.h"
#include "service/store/calls/place.h"

struct store;

struct forget_dead_query {
    struct store_filter filter;
    bool is_dry;  /* only counts */
    size_t limit; /* matches of this call; a longer look for them is cut, too */
    /* Both from the answer before; of the first call -1 and the beginning. The filter's `until_ms`
     * counts in the first call. */
    int64_t latest_death_ms; /* what dies later is left alone */
    struct store_place after;
};
struct forget_dead_result {
    size_t looked, matched;
    int64_t latest_death_ms;
    struct store_place next;
};
typedef void (*store_forget_dead_done)(void *context, const struct store_failure *failure,
                                       const struct forget_dead_result *result);
MUST_CHECK bool store_forget_dead(struct store *store, const struct forget_dead_query *query,
                                  store_forget_dead_done done, void *context, struct error *error);
