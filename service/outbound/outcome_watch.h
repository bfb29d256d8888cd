/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The requests of this process that wait for the outcome of an application, so that the worker that
 * records it wakes them. Internal to the folder; worker_pool.h has what the intake calls.
 *
 * Owns:    the lists; the waiters are their owners'.
 * Threads: init and fini from main, while nobody else runs; the rest from any.
 * Blocks:  for its lock, moments.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "lib/base/mutex.h"

struct event_loop;

/* Filled by its owner, who takes it out before it goes. */
struct outcome_waiter {
    TAILQ_ENTRY(outcome_waiter) links;
    const char *application_id; /* borrowed, as the next two */
    struct event_loop *loop;    /* woken */
    _Atomic bool *is_called;    /* set before */
};

TAILQ_HEAD(outcome_waiters, outcome_waiter);

enum { OUTCOME_WATCH_LISTS = 64 };

struct outcome_watch {
    _Atomic size_t count; /* to be looked at without the lock: mostly nobody waits */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct outcome_waiters lists[OUTCOME_WATCH_LISTS]; /* by the checksum of the id */
    } shared;
};

void outcome_watch_init(struct outcome_watch *watch);
void outcome_watch_fini(struct outcome_watch *watch); /* nobody waits */
void outcome_watch_add(struct outcome_watch *watch, struct outcome_waiter *waiter);
void outcome_watch_remove(struct outcome_watch *watch, struct outcome_waiter *waiter);
/* Its final state is recorded. */
void outcome_watch_note(struct outcome_watch *watch, const char *application_id);
