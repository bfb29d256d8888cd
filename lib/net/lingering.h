/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Connections that were answered before all of the request was read, and wait for the peer to stop.
 *
 * Closing a socket with unread data sends a RST, and a RST makes the peer throw away the answer
 * that it has not read yet. So the sending side is closed, and what still comes in is read and
 * dropped until the peer closes or some time has passed (RFC 9112 section 9.6).
 *
 * Owns:    the descriptors given to it.
 * Threads: one at a time, the event loop's. Blocks: never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/net/deadline_queue.h"
#include "lib/net/event_loop.h"

struct lingering {
    struct event_loop *loop; /* borrowed: outlives us */
    struct deadline_queue deadlines;
    size_t count;
};

void lingering_init(struct lingering *lingering, struct event_loop *loop);
void lingering_fini(struct lingering *lingering); /* closes all */
/* When there are too many, or memory is short, the descriptor is closed at once. */
void lingering_add(struct lingering *lingering, int take_fd, int64_t now_ms);
/* A copy of a descriptor that somebody else closes. */
void lingering_add_copy(struct lingering *lingering, int fd, int64_t now_ms);
/* Closes those whose time has passed. */
void lingering_expire(struct lingering *lingering, int64_t now_ms);
