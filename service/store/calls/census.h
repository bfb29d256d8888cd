/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Counts what waits and what is dead.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

enum { CENSUS_CAUSES_MAX = 21, CENSUS_LOOK_MAX = 1000 };

/* What applications died of. Texts are the answer's; both "": all that are too rare to be named. */
struct store_cause {
    const char *class, *code;
    int64_t count;
};
/* Counts for /v1/status; -1: unknown. */
struct store_census {
    int64_t due, dead, oldest_due_age_ms;
    int64_t paused_at_ms; /* 0: sending is not paused */
    bool is_partial;      /* a shard has not answered, and is left out */
    const char
        *moved_to; /* where the data was moved from here, which is paused by that; "": nowhere */
    int64_t causes_of; /* how many of the dead, the latest, were looked at for `causes` */
    size_t cause_count;
    struct store_cause causes[CENSUS_CAUSES_MAX]; /* the most frequent first */
};
typedef void (*store_census_done)(void *context, const struct store_failure *failure,
                                  const struct store_census *census);
/* `look_max`: of how many dead, the latest, the causes are counted, up to CENSUS_LOOK_MAX; 0: none.
 * With many shards each has its share of them. Unknown while one shard is. */
MUST_CHECK bool store_census(struct store *store, unsigned look_max, store_census_done done,
                             void *context, struct error *error);
/* The same of those shards that answer, if any does. */
MUST_CHECK bool store_census_of_some(struct store *store, store_census_done done, void *context,
                                     struct error *error);
/* Of the first shard alone. */
MUST_CHECK bool store_census_of_first(struct store *store, store_census_done done, void *context,
                                      struct error *error);
