/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The straight way: signals that the intake leased with its commit, on their way to a worker.
 * Internal to the folder; worker_pool.h has what the intake calls.
 *
 *     places of the gate ──► reserved, while the commit is on its way ──┬─► returned to the gate
 *                                                                       └─► queued ──► a worker's
 *
 * It is bounded by the places: each signal that waits here has one.
 *
 * Owns:    what is queued.
 * Threads: init and fini from main, while no worker and no intake runs; the rest from any.
 * Blocks:  for its lock, moments.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/base/mutex.h"

#include "service/store/store.h"

/* A signal with its place of the gate. */
struct handed {
    TAILQ_ENTRY(handed) links;
    struct claim claim; /* its texts are below */
    int64_t leased_at_ms;
    bool is_committed; /* else it is released */
    char texts[];
};

TAILQ_HEAD(handed_list, handed);

struct handover {
    _Atomic size_t reserved;     /* places that an intake holds while its commit is on its way */
    _Atomic size_t queued_count; /* to be looked at without the lock */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct handed_list queue; /* owned */
    } shared;
};

void handover_init(struct handover *handover);
void handover_fini(struct handover *handover); /* what is still queued is left to its lease */
/* A copy, to be given or freed. NULL: no memory. */
struct handed *handed_create(const struct claim *claim, int64_t leased_at_ms, bool is_committed);
/* Behind what waits; takes the list over, and leaves it empty. */
void handover_give(struct handover *handover, struct handed_list *list, size_t count);
/* The first `count` at most, which are the caller's then, and with each a place of the gate.
 * Returns how many. */
size_t handover_take(struct handover *handover, size_t count, struct handed_list *out);
/* No commit that may lease is on its way, and nothing waits. */
bool handover_is_idle(const struct handover *handover);
