/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/worker_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/outbound/worker.h"
#include "service/outbound/worker_shared.h"

enum { JOIN_GRACE_MS = 1000, SHARE_LEAST = 64, ACCEPT_LANGUAGE_BYTES_MAX = 128 };

struct worker_pool {
    struct worker_shared shared;  /* owns the workers */
    struct heartbeat *heartbeats; /* owned; one per worker */
};

void worker_shared_wake_one(struct worker_shared *shared)
{
    int keeper = due_watch_keeper(&shared->due_watch);
    if (keeper != DUE_WATCH_NOBODY &&
        (worker_wake_resting(shared->workers[keeper]) || worker_is_awake(shared->workers[keeper])))
        return;
    for (size_t i = 0; i < shared->worker_count; i++) {
        if (worker_wake_resting(shared->workers[i]))
            return;
    }
}

/* One worker alone takes the default of MAX_IN_FLIGHT: what can be done by one is cheaper done by
 * one. */
static size_t share_of(size_t in_flight_max, size_t workers)
{
    size_t even = (in_flight_max + workers - 1) / workers;
    size_t least = in_flight_max < SHARE_LEAST ? in_flight_max : SHARE_LEAST;
    return even > least ? even : least;
}

static void share_options(struct worker_shared *shared, const struct worker_pool_options *options)
{
    shared->upstream = (struct upstream){
        .graphql_url = options->graphql_url,
        .token_url = options->token_url,
        .user_agent = options->user_agent,
        .accept_language = options->accept_language,
        .timeout_ms = options->request_timeout_ms,
        .is_logged = options->is_upstream_logged,
    };
    shared->policy = (struct retry_policy){.base_ms = options->retry_base_ms,
                                           .max_ms = options->retry_max_ms,
                                           .age_max_ms = options->retry_age_max_ms};
    shared->store = options->store;
    shared->ca_file = options->ca_file;
    shared->access_token = options->access_token;
    shared->gate = options->gate;
    shared->tracer = options->tracer;
    shared->in_flight_max = options->in_flight_max;
    shared->share = share_of(options->in_flight_max, options->worker_count);
    due_watch_init(&shared->due_watch);
    outbound_metrics_init(&shared->metrics);
    atomic_init(&shared->stop_at_ms, WORKER_RUNS);
    atomic_init(&shared->due_count, -1);
}

static bool create_workers(struct worker_pool *pool, unsigned count, struct error *error)
{
    struct worker_shared *shared = &pool->shared;
    shared->workers = calloc(count, sizeof(struct worker *));
    pool->heartbeats = calloc(count, sizeof *pool->heartbeats);
    if (shared->workers == NULL || pool->heartbeats == NULL)
        return error_out_of_memory(error);
    for (unsigned i = 0; i < count; i++) {
        shared->workers[i] = worker_create(shared, i, &pool->heartbeats[i], error);
        if (shared->workers[i] == NULL)
            return error_wrap(error, "worker %u", i);
        shared->worker_count++;
    }
    return true;
}

struct worker_pool *worker_pool_create(const struct worker_pool_options *options,
                                       struct error *error)
{
    assert(options->worker_count > 0);
    assert(options->in_flight_max > 0);
    if (strlen(options->accept_language) > ACCEPT_LANGUAGE_BYTES_MAX) {
        (void)error_set(error, ERROR_CONFIG, "ACCEPT_LANGUAGE is over %d bytes",
                        ACCEPT_LANGUAGE_BYTES_MAX);
        return NULL;
    }
    struct worker_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    share_options(&pool->shared, options);
    if (!create_workers(pool, options->worker_count, error)) {
        worker_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

bool worker_pool_start(struct worker_pool *pool, struct error *error)
{
    for (size_t i = 0; i < pool->shared.worker_count; i++) {
        if (!worker_start(pool->shared.workers[i], error)) {
            (void)worker_pool_stop(pool, clock_monotonic_ms());
            return false;
        }
    }
    return true;
}

void worker_pool_note_due(struct worker_pool *pool)
{
    (void)due_watch_lower(&pool->shared.due_watch, clock_monotonic_ms());
    /* Else each event would cost Redis a claim that gets nothing. That the pause is over is seen
     * within a second all the same. */
    if (!atomic_load(&pool->shared.is_paused))
        worker_shared_wake_one(&pool->shared);
}

void worker_pool_wake(struct worker_pool *pool)
{
    (void)due_watch_lower(&pool->shared.due_watch, clock_monotonic_ms());
    worker_shared_wake_one(&pool->shared);
}

struct worker_pool_end worker_pool_stop(struct worker_pool *pool, int64_t deadline_ms)
{
    atomic_store(&pool->shared.stop_at_ms, deadline_ms);
    for (size_t i = 0; i < pool->shared.worker_count; i++)
        worker_wake(pool->shared.workers[i]);
    int64_t join_until_ms = deadline_ms + WORKER_RECORD_GRACE_MS + JOIN_GRACE_MS;
    size_t stuck = 0;
    for (size_t i = 0; i < pool->shared.worker_count; i++) {
        if (worker_join(pool->shared.workers[i], join_until_ms))
            continue;
        stuck++;
        log_error("worker_stuck", "it does not end and is left behind",
                  LOG_TEXT("worker", pool->heartbeats[i].name));
    }
    return (struct worker_pool_end){.cut = atomic_load(&pool->shared.cut_count),
                                    .unrecorded = atomic_load(&pool->shared.unrecorded_count),
                                    .repeats = atomic_load(&pool->shared.repeat_count),
                                    .stuck = stuck};
}

void worker_pool_destroy(struct worker_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->shared.worker_count; i++)
        worker_destroy(pool->shared.workers[i]);
    free(pool->shared.workers);
    free(pool->heartbeats);
    free(pool);
}

const struct heartbeat *worker_pool_heartbeats(const struct worker_pool *pool, size_t *out_count)
{
    *out_count = pool->shared.worker_count;
    return pool->heartbeats;
}

struct metric *const *worker_pool_metrics(const struct worker_pool *pool, size_t *out_count)
{
    *out_count = OUTBOUND_METRIC_COUNT;
    return pool->shared.metrics.list;
}

void worker_pool_status(const struct worker_pool *pool, struct worker_pool_status *out)
{
    const struct worker_shared *shared = &pool->shared;
    *out = (struct worker_pool_status){
        .workers = (unsigned)shared->worker_count,
        .delivered = outbound_metrics_value(&shared->metrics, OUTBOUND_DELIVERED),
        .retried = outbound_metrics_value(&shared->metrics, OUTBOUND_RETRIED),
        .died = outbound_metrics_value(&shared->metrics, OUTBOUND_DEAD),
        .fenced = outbound_metrics_value(&shared->metrics, OUTBOUND_FENCED),
        .leases_expired = outbound_metrics_value(&shared->metrics, OUTBOUND_LEASES_EXPIRED),
        .due_count = atomic_load(&shared->due_count),
        .last_delivered_at_ms = atomic_load(&shared->last_delivered_at_ms),
    };
    for (size_t i = 0; i < shared->worker_count; i++)
        out->workers_connected += worker_is_connected(shared->workers[i]) ? 1U : 0U;
}
