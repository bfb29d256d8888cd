/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Proof that a loop turns: it beats once per turn, somebody else looks at when.
 *
 * Owns: nothing. Threads: one beats, any looks. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct heartbeat {
    const char *name;             /* borrowed: "intake-0" */
    _Atomic int64_t beaten_at_ms; /* monotonic; 0 before the first */
};

static inline void heartbeat_beat(struct heartbeat *heartbeat, int64_t now_ms)
{
    atomic_store_explicit(&heartbeat->beaten_at_ms, now_ms, memory_order_relaxed);
}

static inline int64_t heartbeat_age_ms(const struct heartbeat *heartbeat, int64_t now_ms)
{
    return now_ms - atomic_load_explicit(&heartbeat->beaten_at_ms, memory_order_relaxed);
}
