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
    struct worker_shared shared;
    struct worker **workers; /* owned, as the next */
    size_t worker_count;
    struct heartbeat *heartbeats; /* one per worker */
};

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
        .graphql_proxy = options->graphql_proxy,
        .token_proxy = options->token_proxy,
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
    retry_ages_init(&shared->ages);
    shared->share = share_of(options->in_flight_max, options->worker_count);
    assert(shared->share > 0 && shared->share <= options->in_flight_max);
    metrics_init(shared->metrics, outbound_rows, OUTBOUND_METRIC_COUNT);
    atomic_init(&shared->stop_at_ms, WORKER_RUNS);
    atomic_init(&shared->due_count, -1);
}

static bool create_workers(struct worker_pool *pool, unsigned count, struct error *error)
{
    struct worker_shared *shared = &pool->shared;
    handover_init(&shared->handover);
    outcome_watch_init(&shared->outcome_watch);
    if (!due_watch_init(&shared->due_watch, count, error))
        return false;
    pool->workers = calloc(count, sizeof(struct worker *));
    pool->heartbeats = calloc(count, sizeof *pool->heartbeats);
    if (pool->workers == NULL || pool->heartbeats == NULL)
        return error_out_of_memory(error);
    for (unsigned i = 0; i < count; i++) {
        pool->workers[i] = worker_create(shared, i, &pool->heartbeats[i], error);
        if (pool->workers[i] == NULL)
            return error_wrap(error, "worker %u", i);
        pool->worker_count++;
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
    for (size_t i = 0; i < pool->worker_count; i++) {
        if (!worker_start(pool->workers[i], error)) {
            (void)worker_pool_stop(pool, clock_monotonic_ms());
            return false;
        }
    }
    return true;
}

void worker_pool_note_due(struct worker_pool *pool, bool may_be_resumed)
{
    (void)due_watch_lower(&pool->shared.due_watch, clock_monotonic_ms());
    /* Else each event would cost Redis a claim that gets nothing. That the pause is over is seen
     * within a second all the same. */
    if (may_be_resumed || !atomic_load(&pool->shared.is_paused))
        due_watch_wake_one(&pool->shared.due_watch);
}

/* --- the straight way -------------------------------------------------------------- */

static bool is_stopping(const struct worker_shared *shared)
{
    return atomic_load(&shared->stop_at_ms) != WORKER_RUNS;
}

/* What is known to be due comes first at the gate, too: an intake that asks with each commit, in
 * vain, would else hold the places that whoever claims it waits for. Of many shards that is the
 * matter of each: one of them has something due nearly always, and a claim that gets all that it
 * asked for waits for nobody's places. */
static bool has_to_wait(const struct worker_shared *shared, unsigned shard, int64_t now_ms)
{
    if (!worker_shared_has_many_shards(shared))
        return due_watch_is_due(&shared->due_watch, now_ms);
    return atomic_load(&shared->is_behind) || due_table_is_due(shared->store.due, shard, now_ms);
}

/* The worker that owns the watch takes what is handed over: where nobody does, none is able. */
static bool may_lease(struct worker_shared *shared, unsigned shard, int64_t now_ms)
{
    struct access_token_status token;
    if (is_stopping(shared) || atomic_load(&shared->is_paused) ||
        due_watch_owner(&shared->due_watch) == DUE_WATCH_NOBODY ||
        has_to_wait(shared, shard, now_ms))
        return false;
    access_token_status(shared->access_token, now_ms, &token);
    return token.is_valid;
}

static void wake_for_handover(struct worker_pool *pool)
{
    int owner = due_watch_owner(&pool->shared.due_watch);
    if (owner != DUE_WATCH_NOBODY && !is_stopping(&pool->shared)) {
        worker_wake(pool->workers[owner]);
        return;
    }
    for (size_t i = 0; i < pool->worker_count; i++)
        worker_wake(pool->workers[i]);
}

/* Reserved before it is asked whether a stop has begun, which looks in the opposite order: either
 * the workers wait for what is reserved here, or nothing is. */
size_t worker_pool_reserve(struct worker_pool *pool, size_t wanted, unsigned shard)
{
    struct worker_shared *shared = &pool->shared;
    int64_t now_ms = clock_monotonic_ms();
    atomic_fetch_add(&shared->handover.reserved, wanted);
    size_t places = wanted > 0 && may_lease(shared, shard, now_ms)
                        ? sending_gate_enter_open(shared->gate, wanted, now_ms)
                        : 0;
    assert(places <= wanted);
    atomic_fetch_sub(&shared->handover.reserved, wanted - places);
    return places;
}

static size_t copy_all(struct handed_list *list, const struct leased_signals *leased)
{
    size_t copied = 0;
    for (size_t i = 0; i < leased->count; i++) {
        struct handed *handed =
            handed_create(&leased->claims[i], leased->leased_at_ms, leased->is_committed);
        if (handed == NULL) {
            log_error("claim_unusable", "The application cannot be handled; its lease runs out",
                      LOG_TEXT("event_id", leased->claims[i].event_id));
            continue;
        }
        TAILQ_INSERT_TAIL(list, handed, links);
        copied++;
    }
    return copied;
}

void worker_pool_hand_over(struct worker_pool *pool, size_t places,
                           const struct leased_signals *leased)
{
    struct handover *handover = &pool->shared.handover;
    struct handed_list list = TAILQ_HEAD_INITIALIZER(list);
    assert(leased->count <= places && places <= atomic_load(&handover->reserved));
    if (places == 0)
        return;
    size_t copied = copy_all(&list, leased);
    if (copied > 0)
        handover_give(handover, &list, copied);
    sending_gate_return(pool->shared.gate, places - copied);
    atomic_fetch_sub(&handover->reserved, places);
    if (copied > 0 || is_stopping(&pool->shared))
        wake_for_handover(pool);
}

void worker_pool_add_waiter(struct worker_pool *pool, struct outcome_waiter *waiter)
{
    outcome_watch_add(&pool->shared.outcome_watch, waiter);
}

void worker_pool_remove_waiter(struct worker_pool *pool, struct outcome_waiter *waiter)
{
    outcome_watch_remove(&pool->shared.outcome_watch, waiter);
}

/* --- stopping ---------------------------------------------------------------------- */

struct worker_pool_end worker_pool_stop(struct worker_pool *pool, int64_t deadline_ms)
{
    atomic_store(&pool->shared.stop_at_ms, deadline_ms);
    for (size_t i = 0; i < pool->worker_count; i++)
        worker_wake(pool->workers[i]);
    int64_t join_until_ms = deadline_ms + WORKER_RECORD_GRACE_MS + JOIN_GRACE_MS;
    size_t stuck = 0;
    for (size_t i = 0; i < pool->worker_count; i++) {
        if (worker_join(pool->workers[i], join_until_ms))
            continue;
        stuck++;
        log_error("worker_stuck", "A worker does not end and is left behind",
                  LOG_TEXT("worker", pool->heartbeats[i].name));
    }
    assert(stuck <= pool->worker_count);
    return (struct worker_pool_end){.cut = atomic_load(&pool->shared.cut_count),
                                    .unrecorded = atomic_load(&pool->shared.unrecorded_count),
                                    .repeats = atomic_load(&pool->shared.repeat_count),
                                    .stuck = stuck};
}

void worker_pool_destroy(struct worker_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->worker_count; i++)
        worker_destroy(pool->workers[i]);
    free(pool->workers);
    free(pool->heartbeats);
    due_watch_fini(&pool->shared.due_watch);
    handover_fini(&pool->shared.handover);
    outcome_watch_fini(&pool->shared.outcome_watch);
    retry_ages_fini(&pool->shared.ages);
    free(pool);
}

const struct heartbeat *worker_pool_heartbeats(const struct worker_pool *pool, size_t *out_count)
{
    *out_count = pool->worker_count;
    return pool->heartbeats;
}

/* Nobody is tried again meanwhile, but for the breaker's probe. */
static void hold_ages(struct worker_shared *shared, int64_t now_ms)
{
    struct sending_gate_status sending;
    sending_gate_status(shared->gate, now_ms, &sending);
    if (sending.breaker != BREAKER_CLOSED || sending.throttled_for_ms > 0 ||
        atomic_load(&shared->is_paused) || atomic_load(&shared->is_token_missing))
        retry_ages_hold(&shared->ages, now_ms);
}

static void refresh(void *context)
{
    struct worker_shared *shared = context;
    int64_t now_ms = clock_monotonic_ms();
    outbound_metrics_observe(shared->metrics, shared->gate, shared->access_token, now_ms);
    hold_ages(shared, now_ms);
    for (enum verdict_class class = 0; class < VERDICT_CLASS_COUNT; class ++)
        metric_set(&shared->metrics[OUTBOUND_RETRY_AGES + (enum outbound_metric) class],
                   retry_ages_oldest_ms(&shared->ages, class, now_ms));
}

static void find_oldest_retry(struct worker_shared *shared, struct worker_pool_status *out)
{
    int64_t now_ms = clock_monotonic_ms();
    hold_ages(shared, now_ms);
    out->oldest_retry_class = VERDICT_CLASS_COUNT;
    for (enum verdict_class class = 0; class < VERDICT_CLASS_COUNT; class ++) {
        int64_t age_ms = retry_ages_oldest_ms(&shared->ages, class, now_ms);
        if (age_ms <= out->oldest_retry_ms)
            continue;
        out->oldest_retry_ms = age_ms;
        out->oldest_retry_class = class;
    }
}

struct metric_table worker_pool_metrics(struct worker_pool *pool)
{
    return (struct metric_table){pool->shared.metrics, OUTBOUND_METRIC_COUNT, refresh,
                                 &pool->shared};
}

void worker_pool_count_damaged(struct worker_pool *pool)
{
    metric_add(&pool->shared.metrics[OUTBOUND_DAMAGED], 1);
}

static uint64_t counted(const struct worker_pool *pool, enum outbound_metric metric)
{
    return (uint64_t)metric_value(&pool->shared.metrics[metric]);
}

void worker_pool_status(struct worker_pool *pool, struct worker_pool_status *out)
{
    struct worker_shared *shared = &pool->shared;
    *out = (struct worker_pool_status){
        .workers = (unsigned)pool->worker_count,
        .delivered = counted(pool, OUTBOUND_DELIVERED),
        .retried = counted(pool, OUTBOUND_RETRIED),
        .died = counted(pool, OUTBOUND_DEAD),
        .fenced = counted(pool, OUTBOUND_FENCED),
        .leases_expired = counted(pool, OUTBOUND_LEASES_EXPIRED),
        .due_count = atomic_load(&shared->due_count),
        .last_delivered_at_ms = atomic_load(&shared->last_delivered_at_ms),
    };
    find_oldest_retry(shared, out);
    for (size_t i = 0; i < pool->worker_count; i++)
        out->workers_connected += worker_is_connected(pool->workers[i]) ? 1U : 0U;
}
