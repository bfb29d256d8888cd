/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/intake_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/budget.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/intake.h"
#include "service/inbound/service_view.h"
#include "service/inbound/tail_ring.h"

struct intake_pool {
    /* Set by create, then read-only: any thread. */
    struct service_view *view; /* borrowed: outlives us */
    struct listen_address address;
    bool is_socket_bound; /* the file of a unix socket is ours to remove */
    uint16_t port;
    char places[LISTENER_TEXT_BYTES];
    unsigned count;
    struct intake *intakes[INTAKE_THREADS_MAX]; /* owned */
    /* Any thread. */
    struct metric metrics[INBOUND_METRIC_COUNT];
    struct budget bodies;
    struct tail_ring tail;
};

static bool open_listeners(struct intake_pool *pool, struct listener listeners[INTAKE_THREADS_MAX],
                           struct error *error)
{
    if (!listener_open_group(&pool->address, pool->count, listeners, error))
        return false;
    pool->is_socket_bound = true;
    pool->port = listener_port(&listeners[0]);
    listener_write(&listeners[0], pool->places);
    return true;
}

static bool create_intakes(struct intake_pool *pool, const struct intake_pool_options *options,
                           struct error *error)
{
    assert(pool->count <= INTAKE_THREADS_MAX);
    struct listener listeners[INTAKE_THREADS_MAX];
    if (!open_listeners(pool, listeners, error))
        return false;
    bool is_done = true;
    for (unsigned i = 0; i < pool->count; i++) {
        if (is_done)
            pool->intakes[i] =
                intake_create(i, &listeners[i], options, pool->metrics, &pool->bodies, error);
        else
            listener_close(&listeners[i]);
        is_done = is_done && pool->intakes[i] != NULL;
    }
    return is_done;
}

/* The largest body alone always fits. */
static size_t bodies_max(const struct intake_pool_options *options)
{
    size_t least = options->body_bytes_max + 1 + JSON_TREE_BYTES_MAX;
    assert(least > options->body_bytes_max);
    return options->bodies_bytes_max > least ? options->bodies_bytes_max : least;
}

struct intake_pool *intake_pool_create(const struct intake_pool_options *options,
                                       struct error *error)
{
    assert(options->thread_count >= 1 && options->thread_count <= INTAKE_THREADS_MAX);
    struct intake_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    pool->view = options->view;
    pool->address = *options->listen_address;
    pool->count = options->thread_count;
    metrics_init(pool->metrics, inbound_rows, INBOUND_METRIC_COUNT);
    budget_init(&pool->bodies, bodies_max(options));
    metric_set(&pool->metrics[INBOUND_BODIES_MAX], (int64_t)pool->bodies.max);
    tail_ring_init(&pool->tail);
    pool->view->tail = &pool->tail;
    if (!create_intakes(pool, options, error)) {
        intake_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

bool intake_pool_start(struct intake_pool *pool, struct error *error)
{
    intake_ask_census(pool->intakes[0]); /* so that the first reader finds something */
    for (unsigned i = 0; i < pool->count; i++)
        if (!intake_start(pool->intakes[i], error))
            return false;
    return true;
}

void intake_pool_begin_drain(struct intake_pool *pool)
{
    atomic_store(&pool->view->is_draining, true);
}

void intake_pool_stop(struct intake_pool *pool, int64_t deadline_ms)
{
    for (unsigned i = 0; i < pool->count; i++)
        if (pool->intakes[i] != NULL)
            intake_stop(pool->intakes[i], deadline_ms);
    for (unsigned i = 0; i < pool->count; i++)
        if (pool->intakes[i] != NULL)
            intake_join(pool->intakes[i]);
}

void intake_pool_destroy(struct intake_pool *pool)
{
    if (pool == NULL)
        return;
    intake_pool_stop(pool, clock_monotonic_ms());
    for (unsigned i = 0; i < pool->count; i++)
        intake_destroy(pool->intakes[i]);
    tail_ring_fini(&pool->tail);
    if (pool->is_socket_bound && pool->address.is_unix)
        (void)unlink(pool->address.host);
    free(pool);
}

uint16_t intake_pool_port(const struct intake_pool *pool)
{
    return pool->port;
}

const char *intake_pool_places(const struct intake_pool *pool)
{
    return pool->places;
}

const struct heartbeat *intake_pool_heartbeat(const struct intake_pool *pool, size_t index)
{
    return index < pool->count ? intake_heartbeat(pool->intakes[index]) : NULL;
}

void intake_pool_status(struct intake_pool *pool, struct intake_pool_status *out)
{
    *out = (struct intake_pool_status){.threads = pool->count};
    bool is_reason_known = false;
    for (unsigned i = 0; i < pool->count; i++) {
        struct intake_status status;
        intake_status(pool->intakes[i], &status);
        out->threads_connected += status.is_connected;
        bool is_able = status.health.is_ready && !status.health.is_refusing;
        out->threads_ready += is_able;
        out->connections += status.connections;
        out->threads_full += status.is_full;
        out->open_requests += status.open_requests;
        out->waiters += status.waiters;
        out->has_durability_fallen |= status.health.has_fallen;
        bool is_worse = status.health.shards_ready < out->health.shards_ready;
        if (is_reason_known || (i > 0 && is_able && !is_worse))
            continue;
        out->health = status.health;
        is_reason_known = !is_able;
    }
    assert(out->threads_ready <= out->threads && out->threads_connected <= out->threads);
}

static void refresh(void *context)
{
    struct intake_pool *pool = context;
    struct intake_pool_status status;
    intake_pool_status(pool, &status);
    metric_set(&pool->metrics[INBOUND_CONNECTIONS], (int64_t)status.connections);
    metric_set(&pool->metrics[INBOUND_WAITERS], (int64_t)status.waiters);
    metric_set(&pool->metrics[INBOUND_BODIES], (int64_t)budget_used(&pool->bodies));
    intake_ask_census(pool->intakes[0]);
}

struct metric_table intake_pool_metrics(struct intake_pool *pool)
{
    return (struct metric_table){pool->metrics, INBOUND_METRIC_COUNT, refresh, pool};
}

struct metric *intake_pool_inbound_metrics(struct intake_pool *pool)
{
    return pool->metrics;
}
