/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The intake threads: each serves the API on its own share of the connections and commits events
 * to Redis over its own connection.
 *
 *     create ──► start ──► begin_drain ──► stop ──► destroy
 *
 * Owns:    its threads, the listening sockets, one event loop, HTTP server and store per thread.
 * Threads: create, start, begin_drain, stop, destroy from main; everything else from any.
 * Blocks:  create resolves a host name; stop up to its deadline; everything else never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/heartbeat.h"
#include "lib/base/metrics.h"
#include "lib/base/ownership.h"
#include "lib/net/listener.h"

#include "service/inbound/access.h"
#include "service/inbound/service_view.h"
#include "service/store/store.h"

struct intake_pool;
struct tls_server;

enum { INTAKE_THREADS_MAX = 64, INTAKE_OPEN_EVENTS_MAX = 10000 };

struct intake_pool_options {
    const struct listen_address *listen_address; /* borrowed for the call */
    unsigned thread_count;                       /* 1 to INTAKE_THREADS_MAX */
    size_t body_bytes_max;
    size_t bodies_bytes_max; /* of all requests together; the largest alone always fits */
    size_t header_bytes_max;
    unsigned connections_max;             /* of all threads together */
    unsigned connections_per_address_max; /* of each thread; 0: no limit */
    unsigned idle_timeout_s;
    unsigned read_timeout_ms;
    size_t batch_max;           /* events in one request */
    size_t open_events_max;     /* waiting for Redis in each thread; 0: INTAKE_OPEN_EVENTS_MAX */
    struct store_options store; /* `role` is set per thread */
    struct spool *spool;        /* borrowed: stopped before the pool is destroyed; NULL: none */
    struct access access;       /* its secrets outlive the pool */
    struct tls_server *tls;     /* borrowed: outlives the pool; NULL: plain HTTP */
    struct service_view *view;  /* borrowed: outlives the pool; may be filled until start */
};

/* Binds and listens: ERROR_CONFIG or ERROR_IO when the address cannot be had, which ends the start.
 * Nobody is answered before intake_pool_start. */
MUST_CHECK struct intake_pool *intake_pool_create(const struct intake_pool_options *options,
                                                  struct error *error);
MUST_CHECK bool intake_pool_start(struct intake_pool *pool, struct error *error);
/* /readyz becomes 503, so that nobody new is sent here; everything is still answered. */
void intake_pool_begin_drain(struct intake_pool *pool);
/* No new connections; what is open is answered until `deadline_ms` (clock_monotonic_ms), what then
 * remains gets 503 `shutting_down`; then joins. */
void intake_pool_stop(struct intake_pool *pool, int64_t deadline_ms);
void intake_pool_destroy(struct intake_pool *pool); /* stops first, at once; accepts NULL */
DEFINE_AUTO(intake_pool);

/* The port really bound; 0 for a unix socket. */
uint16_t intake_pool_port(const struct intake_pool *pool);
/* Where it really listens: "127.0.0.1:8787, [::1]:8787"; "" for a unix socket. */
const char *intake_pool_places(const struct intake_pool *pool);

/* One per thread: "intake-0". NULL past the last. */
const struct heartbeat *intake_pool_heartbeat(const struct intake_pool *pool, size_t index);
/* What of /metrics the intake fills. Reading it keeps fresh, for a while, what Redis holds. */
struct metric_table intake_pool_metrics(struct intake_pool *pool);
/* The same to those who count: inbound_metrics.h. */
struct metric *intake_pool_inbound_metrics(struct intake_pool *pool);

struct intake_pool_status {
    unsigned threads;
    unsigned threads_connected; /* to Redis, ever: what /startupz asks for */
    unsigned threads_ready;     /* could accept an event durably now: what /readyz asks for */
    size_t connections;         /* of clients */
    unsigned threads_full;      /* whose connections are as many as they may be */
    size_t open_requests;       /* in and not answered yet */
    size_t waiters;             /* of them, for SEEK */
    bool has_durability_fallen; /* at any of them */
    struct store_health health; /* the first thread's that is not ready, else the first thread's */
};
void intake_pool_status(struct intake_pool *pool, struct intake_pool_status *out);
