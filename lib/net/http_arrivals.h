/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of http_server: connections to a TLS listener of which no byte has come. The first one
 * tells TLS from HTTP without it. A caller that speaks HTTP gets an answer that says so, where a
 * TLS library would only hang up.
 *
 * Owns:    the connections, and their places among all, until they are handed on.
 * Threads: one, the server's. Blocks: never.
 */
#pragma once

#include <sys/socket.h>

#include "lib/net/event_loop.h"
#include "lib/net/http_connections.h"
#include "lib/net/lingering.h"

struct http_arrival;

struct http_arrivals {
    struct event_loop *loop;              /* borrowed, as all here: outlives us */
    struct http_connections *connections; /* shuts who is silent for too long */
    struct lingering *lingering;
    const char *plain_answer;
    void (*take_tls)(void *context, int take_fd, const struct sockaddr *peer,
                     socklen_t peer_length);
    void (*note_plain)(void *context, const struct sockaddr *peer);
    void *context;
    struct http_arrival *first; /* owned list */
};

/* Closes it when memory is short. May hand it on at once. */
void http_arrivals_add(struct http_arrivals *arrivals, int take_fd, const struct sockaddr *peer,
                       socklen_t peer_length);
void http_arrivals_end(struct http_arrivals *arrivals); /* closes all; once or more */
