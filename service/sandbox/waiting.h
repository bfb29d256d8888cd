/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Answers that are not due yet: a heap by time, so that any number of them costs the loop nothing
 * while they wait.
 *
 * Owns:    its array; the waits stay their owners'.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define WAIT_FOREVER INT64_MAX

struct sandbox_wait { /* embedded in what waits */
    int64_t due_ms;   /* monotonic, or WAIT_FOREVER */
    size_t position;  /* in the heap plus 1; 0: not waiting */
    void *owner;
};

struct waiting {
    struct sandbox_wait **heap; /* owned; the soonest first */
    size_t count, capacity;
};

void waiting_init(struct waiting *waiting);
void waiting_fini(struct waiting *waiting);
/* `wait` has its `owner`, and is not waiting. */
MUST_CHECK bool waiting_add(struct waiting *waiting, struct sandbox_wait *wait, int64_t due_ms,
                            struct error *error);
/* Accepts one that is not waiting. */
void waiting_remove(struct waiting *waiting, struct sandbox_wait *wait);
/* Removes one that is due; NULL: none is. */
struct sandbox_wait *waiting_take_due(struct waiting *waiting, int64_t now_ms);
/* Until the next is due; -1: none ever is. */
int64_t waiting_timeout_ms(const struct waiting *waiting, int64_t now_ms);
/* Those that wait forever become due. */
void waiting_release(struct waiting *waiting);
