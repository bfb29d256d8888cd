/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One listener's context: leads requests through routing, API key and limits to their endpoint, and
 * holds what endpoints work with.
 *
 * Owns:    its scratch buffer; everything else is borrowed and outlives it.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/net/http_server.h"

#include "service/inbound/access.h"
#include "service/inbound/wrong_keys.h"

struct batch;
struct budget;
struct event_loop;
struct metric;
struct route;
struct service_view;
struct spool_batch;
struct store;
struct waiting_room;

enum { PLAIN_ANSWER_BYTES = 640 };

struct inbound_context {
    const struct route *routes;
    size_t route_count;
    const struct service_view *view;
    size_t body_bytes_max;
    struct budget *bodies; /* of all request bodies and what is read from them; NULL: none */
    struct access access;
    struct wrong_keys wrong_keys;
    char plain_answer[PLAIN_ANSWER_BYTES]; /* for who speaks HTTP to a TLS listener */
    bool is_local; /* plain HTTP on loopback: called only by names of this machine */
    /* The API listener's; NULL on the ops listener, whose endpoints need none. */
    struct metric *metrics;
    struct event_loop *loop; /* the thread's, to be woken */
    struct store *store;
    struct batch *batch;
    struct spool_batch *spool; /* NULL: none */
    struct waiting_room *waits;
    size_t batch_max; /* events in one request */
    /* Where answers are written before they are copied into a reply. */
    struct buffer scratch;
    bool is_full;              /* the listener's connections are as many as they may be */
    int64_t turned_away_at_ms; /* the last one, 0: none */
    int64_t plain_at_ms;       /* the last one that spoke HTTP without TLS, 0: none */
    bool is_unavailable;       /* events meet a 503: logs the change, not each of them */
    int64_t refused_at_ms;     /* the last of them */
};

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024 };

void inbound_context_init(struct inbound_context *context);
void inbound_context_fini(struct inbound_context *context);
/* In each turn of the loop: answers who waits for it. */
void inbound_context_turn(struct inbound_context *context, int64_t now_ms);
int64_t inbound_context_timeout_ms(const struct inbound_context *context,
                                   int64_t now_ms); /* until the next; -1: none */
/* Sets `context` and the callbacks. */
void inbound_context_serve(struct inbound_context *context, struct http_server_options *options);
