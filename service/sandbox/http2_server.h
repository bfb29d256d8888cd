/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK's two endpoints over HTTP/2 with TLS.
 *
 * Owns:    its listener, connections and sessions.
 * Threads: one, the loop's. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/net/event_loop.h"
#include "lib/net/listener.h"

struct http2_server;
struct state;

struct http2_server_options {
    struct listener listener; /* taken, also on failure */
    struct event_loop *loop;  /* this and the next are borrowed: they outlive it */
    struct state *state;
    const struct buffer *certificate_pem, *key_pem; /* borrowed for the call */
};

MUST_CHECK struct http2_server *http2_server_create(const struct http2_server_options *options,
                                                    struct error *error);
/* Closes every connection. Accepts NULL. */
void http2_server_destroy(struct http2_server *server);

/* How long the loop may wait before the next turn; -1: as long as it likes. */
int64_t http2_server_timeout_ms(const struct http2_server *server);
/* After each poll of the loop, and after exchange_turn: sends what there is, and closes what ends.
 */
void http2_server_turn(struct http2_server *server);
