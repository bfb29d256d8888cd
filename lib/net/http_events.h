/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of http_server: the events of libmicrohttpd, from a connection's accept to a request's
 * end, and what becomes of it.
 *
 * Owns:    nothing; a connection owns its request.
 * Threads: one, the server's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/net/http_connections.h"
#include "lib/net/http_daemon.h"
#include "lib/net/http_request.h"
#include "lib/net/lingering.h"

struct http_events {
    const struct http_server_options *options; /* borrowed, as all here: outlives us */
    struct http_connections *connections;
    struct lingering *lingering;
    struct http_requests *requests;
    bool is_stopping; /* what is complete is abandoned */
};

/* For http_daemon_start; `events` outlives the daemon. */
struct http_daemon_events http_events_table(struct http_events *events);
/* A complete request gets its answer from `abandon`. */
void http_events_abandon(struct http_events *events, struct http_request *request);
