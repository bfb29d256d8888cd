/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A thin epoll set with a wake-up descriptor.
 *
 * Owns:    the epoll and event descriptors; watched descriptors stay their owners'.
 * Threads: event_loop_wake from any (and from a signal handler); everything else from one.
 * Blocks:  event_loop_poll, up to its time-out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct event_loop;
struct heartbeat;

enum { EVENT_READ = 1, EVENT_WRITE = 2 };

/* `events`: what is ready; an error or hang-up is reported as both. */
typedef void (*event_callback)(void *context, unsigned events);

MUST_CHECK struct event_loop *event_loop_create(struct error *error);
void event_loop_destroy(struct event_loop *loop); /* accepts NULL */
DEFINE_AUTO(event_loop);

/* Adds the descriptor or changes what is watched; level-triggered. `events` may be 0: only errors
 * then. */
MUST_CHECK bool event_loop_watch(struct event_loop *loop, int fd, unsigned events,
                                 event_callback callback, void *context, struct error *error);
/* Before the descriptor is closed. Accepts one that is not watched. */
void event_loop_forget(struct event_loop *loop, int fd);

/* Waits for events or a wake-up, at most `timeout_ms` (-1: no limit), and runs the callbacks. A
 * callback may watch and forget any descriptor. Only a mistake of ours makes the wait itself fail,
 * closing the loop's descriptor elsewhere say, and no thread can go on without it: an assertion
 * ends the process. What was acknowledged is on a disk by then. True: something had happened. */
bool event_loop_poll(struct event_loop *loop, int64_t timeout_ms);
/* From now on each poll says there how long it may wait, and beats before the callbacks.
 * `heartbeat`: borrowed, outlives the loop. Accepts NULL for a loop that could not be made. */
void event_loop_show(struct event_loop *loop, struct heartbeat *heartbeat);
/* For nesting in another loop: readable while a poll would find something. */
int event_loop_fd(const struct event_loop *loop);
/* Makes the current or next poll return at once. */
void event_loop_wake(struct event_loop *loop);
