/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One listener's front: leads requests through routing, API key and limits to their endpoint, and
 * holds what endpoints work with.
 *
 * Owns:    its scratch buffer; everything else is borrowed and outlives it.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/net/http_server.h"

struct batch;
struct inbound_metrics;
struct route;
struct secret;
struct service_view;
struct spool_batch;
struct store;
struct waiting_room;

struct front {
    const struct route *routes;
    size_t route_count;
    const struct service_view *view;
    size_t body_bytes_max;
    struct secret *api_key; /* NULL: none is asked for */
    bool is_local;          /* bound to loopback: called only by names of this machine */
    /* The API listener's; NULL on the ops listener, whose endpoints need none. */
    struct inbound_metrics *metrics;
    struct store *store;
    struct batch *batch;
    struct spool_batch *spool; /* NULL: none */
    struct waiting_room *waits;
    size_t batch_max; /* events in one request */
    /* Where answers are written before they are copied into a reply. */
    struct buffer scratch;
    bool is_unavailable; /* the last event or call met a 503: logs the change, not each of them */
};

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024 };

void front_init(struct front *front);
void front_fini(struct front *front);
/* Sets `context` and the callbacks. */
void front_serve(struct front *front, struct http_server_options *options);
