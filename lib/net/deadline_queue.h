/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Deadlines that all lie equally far ahead when they are set, so that first in is first due:
 * adding, removing and finding the next one take constant time.
 *
 * Owns:    nothing; an entry lives inside its user's object.
 * Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdint.h>

struct deadline_queue;

struct deadline {                 /* zeroed: not set */
    struct deadline_queue *queue; /* NULL: not set */
    struct deadline *earlier;
    struct deadline *later;
    int64_t due_ms;
};

struct deadline_queue {
    int64_t duration_ms;
    struct deadline *first;
    struct deadline *last;
};

/* Moves the deadline when it is set already, here or in another queue. */
void deadline_set(struct deadline *deadline, struct deadline_queue *queue, int64_t now_ms);
void deadline_clear(struct deadline *deadline); /* accepts one that is not set */
/* The first one that is due, cleared; NULL when there is none. */
struct deadline *deadline_queue_take_due(struct deadline_queue *queue, int64_t now_ms);
/* How long ago it was set; it is. */
int64_t deadline_age_ms(const struct deadline *deadline, int64_t now_ms);
/* Time until the first one is due, 0 when it is; -1 when the queue is empty. */
int64_t deadline_queue_wait_ms(const struct deadline_queue *queue, int64_t now_ms);
