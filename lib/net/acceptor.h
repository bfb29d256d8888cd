/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Takes connections from listening sockets, as long as there is room for them.
 *
 * Without room nobody looks at them, so that whoever waits in their queues costs no processor
 * time; without descriptors or memory it is tried again a little later, since nothing tells when
 * somebody else has given some back.
 *
 * Owns:    the listener.
 * Threads: one at a time, the event loop's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/error.h"
#include "lib/net/event_loop.h"
#include "lib/net/listener.h"

struct acceptor_options {
    struct event_loop *loop; /* borrowed: outlives us */
    void (*take)(void *context, int take_fd, const struct sockaddr *peer, socklen_t peer_length);
    void *take_context;
    /* It begins to lack descriptors or memory, or all that waited are in again. May be NULL. */
    void (*starve)(void *context, bool is_starved);
    void *starve_context;
};

struct acceptor {
    struct acceptor_options options;
    struct listener listener;
    size_t next;   /* of its sockets the one to begin with, so that each has its turn */
    bool has_room; /* as the last acceptor_watch was told */
    bool is_watched;
    bool is_ready; /* since the last turn, as the loop reported */
    bool is_starved;
    int64_t retry_at_ms; /* while it is starved */
};

/* Until the options are set, which may be done later, it only holds the listener. Stays in place
 * from the first acceptor_watch on. */
void acceptor_init(struct acceptor *acceptor, const struct listener *take_listener);
void acceptor_close(struct acceptor *acceptor); /* once or more */
/* After the loop was polled: takes who waits, up to `room`. */
void acceptor_turn(struct acceptor *acceptor, size_t room, int64_t now_ms);
/* After each turn: whether the loop is to wake for the next connection. */
MUST_CHECK bool acceptor_watch(struct acceptor *acceptor, bool has_room, struct error *error);
/* -1: no limit; without room nothing is tried again. */
int64_t acceptor_wait_ms(const struct acceptor *acceptor, int64_t now_ms);
