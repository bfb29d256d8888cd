/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/intake_pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/intake.h"

struct intake_pool {
    /* Set by create, then read-only: any thread. */
    struct service_view *view; /* borrowed: outlives us */
    struct listen_address address;
    bool is_socket_bound; /* the file of a unix socket is ours to remove */
    uint16_t port;
    unsigned count;
    struct intake *intakes[INTAKE_THREADS_MAX]; /* owned */
    /* Any thread. */
    struct inbound_metrics metrics;
};

static bool open_listeners(struct intake_pool *pool, int fds[INTAKE_THREADS_MAX],
                           struct error *error)
{
    if (!listener_open_group(&pool->address, pool->count, fds, error))
        return false;
    pool->is_socket_bound = true;
    pool->port = listener_port(fds[0]);
    return true;
}

static bool create_intakes(struct intake_pool *pool, const struct intake_pool_options *options,
                           struct error *error)
{
    int fds[INTAKE_THREADS_MAX];
    if (!open_listeners(pool, fds, error))
        return false;
    bool is_done = true;
    for (unsigned i = 0; i < pool->count; i++) {
        if (is_done)
            pool->intakes[i] = intake_create(i, fds[i], options, &pool->metrics, error);
        else
            (void)close(fds[i]);
        is_done = is_done && pool->intakes[i] != NULL;
    }
    return is_done;
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
    inbound_metrics_init(&pool->metrics);
    if (!create_intakes(pool, options, error)) {
        intake_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

bool intake_pool_start(struct intake_pool *pool, struct error *error)
{
    intake_pool_ask_census(pool); /* so that the first reader finds something */
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
    if (pool->is_socket_bound && pool->address.is_unix)
        (void)unlink(pool->address.host);
    free(pool);
}

uint16_t intake_pool_port(const struct intake_pool *pool)
{
    return pool->port;
}

const struct heartbeat *intake_pool_heartbeat(const struct intake_pool *pool, size_t index)
{
    return index < pool->count ? intake_heartbeat(pool->intakes[index]) : NULL;
}

struct metric *const *intake_pool_metrics(const struct intake_pool *pool, size_t *out_count)
{
    *out_count = pool->metrics.row_count;
    return pool->metrics.rows;
}

void intake_pool_ask_census(struct intake_pool *pool)
{
    intake_ask_census(pool->intakes[0]);
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
        out->open_requests += status.open_requests;
        if (is_reason_known || (i > 0 && is_able))
            continue;
        out->health = status.health;
        is_reason_known = !is_able;
    }
}
