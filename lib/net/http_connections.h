/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of http_server: its connections, each with its state.
 *
 *     new ──► arriving ──► handled ──► leaving ──► idle
 *                ▲  └────────────────────▲           │
 *                └───────────────────────────────────┘
 *
 * A new connection takes the place of one that makes no progress: a connection that has sent
 * nothing since its accept for a hundredth of the time for a request goes, else the longest idle
 * one, else the one whose request has been arriving, or whose answer has been leaving, the longest
 * and for more than a tenth of that time. What the service itself works on stays.
 *
 * Owns:    the connections; their descriptors are libmicrohttpd's.
 * Threads: one, the server's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/net/deadline_queue.h"

struct http_request;
struct tls_identity;

enum http_phase {
    HTTP_NEW,      /* from the accept to the first request line */
    HTTP_ARRIVING, /* from a request line to the end of the request */
    HTTP_HANDLED,  /* the service has the request */
    HTTP_LEAVING,  /* its answer is on the way out */
    HTTP_IDLE,     /* from an answer to the next request line */
    HTTP_PHASE_COUNT,
};

enum { HTTP_ADDRESS_BYTES = 16 };

struct http_connection {
    struct deadline deadline;      /* first: found by a cast; not set: it is being shut */
    int fd;                        /* borrowed from libmicrohttpd */
    struct tls_identity *identity; /* owned; NULL: no TLS, or a fixed certificate */
    bool is_peer_verified;         /* by its certificate */
    /* Owned, so that it goes with the connection: libmicrohttpd does not tell the end of each. */
    struct http_request *request;     /* NULL between two */
    struct http_connection *next_fed; /* among those that sent something in this turn */
    bool is_fed;
    unsigned char address[HTTP_ADDRESS_BYTES]; /* all zero: a unix socket's */
};

struct http_connections {
    struct deadline_queue phases[HTTP_PHASE_COUNT];
    struct http_connection *fed; /* list; empty between turns */
    size_t count;                /* those being shut too */
    size_t max;
    size_t per_address_max; /* 0: no limit */
    int64_t request_timeout_ms;
    bool is_full; /* from the last place taken until an eighth of them is free again */
};

void http_connections_init(struct http_connections *connections, size_t max, size_t per_address_max,
                           int64_t request_timeout_ms, int64_t idle_timeout_ms);
/* NULL: out of memory; it counts all the same, until http_connections_remove. */
struct http_connection *http_connections_add(struct http_connections *connections, int fd,
                                             const struct sockaddr *peer, int64_t now_ms);
void http_connections_remove(struct http_connections *connections,
                             struct http_connection *take_connection); /* accepts NULL */
void http_connections_move(struct http_connections *connections, struct http_connection *connection,
                           enum http_phase phase, int64_t now_ms);

/* A piece of its request came in. */
void http_connections_feed(struct http_connections *connections,
                           struct http_connection *connection);
/* The turn ends: acknowledges at once what came of requests that are not complete. A client without
 * TCP_NODELAY that writes head and body apart sends the body when the head is acknowledged (Nagle),
 * which Linux does up to 40 ms later on a connection that answers went over. */
void http_connections_acknowledge(struct http_connections *connections);

/* Shuts who is late; libmicrohttpd sees a hang-up. Who has just sent the next request is not. */
void http_connections_shut_late(struct http_connections *connections, int64_t now_ms);
/* Shuts one of them for a new one. False: nobody may go. */
bool http_connections_make_room(struct http_connections *connections, int64_t now_ms);
/* Whether one more of this address fits, if need be by shutting its longest idle one. */
bool http_connections_admit(struct http_connections *connections, const struct sockaddr *peer);
/* Until there is room for one more, or somebody may go for it. 0: there is; -1: as long as all are
 * worked on. */
int64_t http_connections_room_wait_ms(const struct http_connections *connections, int64_t now_ms);
/* Whether `is_full` has changed. */
bool http_connections_note(struct http_connections *connections);
/* Until somebody is late; -1: never. */
int64_t http_connections_wait_ms(const struct http_connections *connections, int64_t now_ms);
