/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Counts of the last day, in buckets of ten minutes, of all processes on this Redis. They are for
 * people who look on: each process adds to them now and then, and what it had not added when it was
 * killed is missing.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

enum { HISTORY_BUCKETS = 144, HISTORY_BUCKET_MS = 600000 };

struct history_counts {
    int64_t accepted, delivered, retried, dead;
};
struct store_history {
    int64_t begins_at_ms; /* the first bucket; Redis's clock */
    /* The earliest first. The last one is the present one. */
    struct history_counts buckets[HISTORY_BUCKETS];
};
typedef void (*store_history_done)(void *context, const struct store_failure *failure,
                                   const struct store_history *history);

/* In the first shard. Adds to the present bucket. */
MUST_CHECK bool store_history_add(struct store *store, const struct history_counts *counts,
                                  store_done done, void *context, struct error *error);
MUST_CHECK bool store_history_read(struct store *store, store_history_done done, void *context,
                                   struct error *error);
