/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The parts of the service that the HTTP side may know. app.c fills it once everything is
 * created, before anything is started; after that only `is_draining` changes.
 *
 * Owns:    nothing: every pointer is borrowed and outlives the listeners.
 * Threads: any reads. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct access_token;
struct heartbeat;
struct intake_pool;
struct metric;
struct metric_registry;
struct notifier;
struct sending_gate;
struct spool;
struct tail_ring;
struct tls_server;
struct tracer;
struct worker_pool;

struct service_view {
    /* Set before the start, then read-only: any thread. Each may be NULL: nothing to tell. */
    struct worker_pool *worker_pool;
    struct sending_gate *gate;
    struct access_token *access_token;
    struct intake_pool *intake_pool;
    struct metric *inbound_metrics;        /* of both listeners; the pool's: inbound_metrics.h */
    const struct metric_registry *metrics; /* what /metrics shows beside the process */
    struct spool *spool;
    struct notifier *notifier;
    struct tail_ring *tail; /* the pool's */
    struct tls_server *tls;
    struct tracer *tracer;
    /* Signals have become due, so that somebody looks. `may_be_resumed`: even while sending is
     * taken to be paused, since that may be over. Any thread. */
    void (*due)(void *due_context, bool may_be_resumed);
    void *due_context;
    const struct heartbeat *main_loop; /* main's own; the pools bring theirs */
    const char *version;               /* required */
    int64_t started_at_ms;             /* wall clock: to be shown */
    int64_t started_monotonic_ms;      /* to count from */
    /* Any thread. */
    _Atomic bool is_draining; /* written by intake_pool_begin_drain */
};

static inline void service_view_note_due(const struct service_view *view, bool may_be_resumed)
{
    if (view->due != NULL)
        view->due(view->due_context, may_be_resumed);
}
