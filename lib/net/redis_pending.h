/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The commands sent and not answered yet, oldest first: Redis answers in order, so the next reply
 * is the oldest's.
 *
 * Owns:    its ring; the contexts stay the callers'.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/redis_client.h"

enum { REDIS_PENDING_MAX = 65536 }; /* a power of two: the ring doubles up to it */

struct redis_pending_command {
    redis_done done;
    void *context;
    int64_t sent_at_ms;
};

struct redis_pending {
    struct redis_pending_command *ring; /* owned */
    size_t capacity;                    /* 0 or a power of two */
    size_t first, count;
};

void redis_pending_fini(struct redis_pending *pending); /* a zeroed struct is an empty one */

/* Room for one more, so that the next push cannot fail. ERROR_FULL, ERROR_MEMORY. */
MUST_CHECK bool redis_pending_reserve(struct redis_pending *pending, struct error *error);
void redis_pending_push(struct redis_pending *pending, struct redis_pending_command command);
/* False when there is none. */
bool redis_pending_pop(struct redis_pending *pending, struct redis_pending_command *out);
/* NULL when there is none. */
const struct redis_pending_command *redis_pending_oldest(const struct redis_pending *pending);
