/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The ops listener: /livez, /readyz, /startupz and /metrics, and nothing else, so that it may be
 * reachable where the API must not be. It is driven by main's loop.
 *
 * Owns:    the listening socket and its connections.
 * Threads: one, the loop's.
 * Blocks:  create resolves a host name; everything else never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/event_loop.h"
#include "lib/net/listener.h"

#include "service/inbound/service_view.h"

struct ops_server;

/* Binds, and watches itself on `loop`. Everything passed is borrowed; `loop` and `view` outlive the
 * server. */
MUST_CHECK struct ops_server *ops_server_create(const struct listen_address *address,
                                                struct event_loop *loop,
                                                const struct service_view *view,
                                                struct error *error);
void ops_server_destroy(struct ops_server *server); /* accepts NULL */
DEFINE_AUTO(ops_server);

/* For main's loop: the longest wait before the next turn (-1: none), and the turn, to be called
 * after each poll. */
int64_t ops_server_timeout_ms(const struct ops_server *server);
void ops_server_turn(struct ops_server *server);
/* The port really bound; 0 for a unix socket. */
uint16_t ops_server_port(const struct ops_server *server);
/* Where it really listens: "127.0.0.1:8788, [::1]:8788"; "" for a unix socket. */
const char *ops_server_places(const struct ops_server *server);
