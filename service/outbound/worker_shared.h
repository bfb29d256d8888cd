/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The state that the workers of one pool share. Internal to the folder.
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
#include "service/outbound/handover.h"
#include "service/outbound/outbound_metrics.h"
#include "service/outbound/outcome_watch.h"
#include "service/outbound/retry_ages.h"
#include "service/outbound/sending_gate.h"
#include "service/outbound/upstream.h"
#include "service/store/due_table.h"
#include "service/store/store.h"

struct tracer;

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

    /* Any thread. */
    struct due_watch due_watch;
    struct handover handover;
    struct outcome_watch outcome_watch;
    struct retry_ages ages;
    struct metric metrics[OUTBOUND_METRIC_COUNT];
    _Atomic int64_t stop_at_ms; /* when what is still in flight is cut; WORKER_RUNS: it goes on */
    _Atomic size_t cut_count, unrecorded_count, repeat_count; /* as struct worker_pool_end says */
    _Atomic int64_t due_count;                                /* -1: unknown */
    _Atomic int64_t last_delivered_at_ms;
    /* With many shards: more is due, in any of them, than the last claim got places for. */
    _Atomic bool is_behind;
    _Atomic bool is_pause_wanted; /* of Redis, by whichever worker comes to it first */
    /* States that are logged when they begin and when they end. */
    _Atomic bool is_token_missing, is_misconfigured, is_store_refusing, is_paused,
        is_clock_set_back, is_result_odd;
};

static inline bool worker_shared_has_many_shards(const struct worker_shared *shared)
{
    return shared->store.due != NULL && shared->store.due->count > 1;
}

/* Whether this changed the state. */
static inline bool worker_shared_turn(_Atomic bool *state, bool value)
{
    return atomic_load_explicit(state, memory_order_relaxed) != value &&
           atomic_exchange(state, value) != value;
}
