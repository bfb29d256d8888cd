/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the workers of one pool share. Internal to the folder.
 *
 * Owns: nothing but its counts. Threads: any. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "service/domain/retry_policy.h"
#include "service/outbound/access_token.h"
#include "service/outbound/due_watch.h"
#include "service/outbound/outbound_metrics.h"
#include "service/outbound/sending_gate.h"
#include "service/outbound/upstream.h"
#include "service/store/store.h"

struct tracer;
struct worker;

#define WORKER_RUNS INT64_MAX

struct worker_shared {
    /* Set before the threads start, then read-only. */
    struct upstream upstream;
    struct retry_policy policy;
    struct store_options store;
    const char *ca_file; /* borrowed, as the next three: outlive us */
    struct access_token *access_token;
    struct sending_gate *gate;
    struct tracer *tracer; /* NULL: none */
    size_t in_flight_max;
    size_t share; /* of that, for one worker */
    struct worker **workers;
    size_t worker_count;

    /* Any thread. */
    struct due_watch due_watch;
    struct outbound_metrics metrics;
    _Atomic int64_t stop_at_ms; /* when what is still in flight is cut; WORKER_RUNS: it goes on */
    _Atomic size_t cut_count, unrecorded_count, repeat_count; /* as struct worker_pool_end says */
    _Atomic int64_t due_count;                                /* -1: unknown */
    _Atomic int64_t last_delivered_at_ms;
    /* States that are logged when they begin and when they end. */
    _Atomic bool is_token_missing, is_misconfigured, is_store_refusing, is_paused,
        is_clock_set_back;
};

/* Whether this changed the state. */
static inline bool worker_shared_turn(_Atomic bool *state, bool value)
{
    return atomic_load_explicit(state, memory_order_relaxed) != value &&
           atomic_exchange(state, value) != value;
}

/* So that somebody looks at what is due: the keeper of the watch if it can take something, else
 * another worker that rests. */
void worker_shared_wake_one(struct worker_shared *shared);
