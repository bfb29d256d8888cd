/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Proof that a loop turns: it beats once per turn, and says before a long rest until when it rests
 * at most; somebody else looks. So a loop that has nothing to do need not wake up to show itself,
 * and one that stands still is noticed as soon as one that is busy: it beats when it wakes up.
 *
 * Owns: nothing. Threads: one beats, any looks. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct heartbeat {
    const char *name;             /* borrowed: "intake-0" */
    _Atomic int64_t beaten_at_ms; /* monotonic; 0 before the first; ahead while it rests */
};

static inline void heartbeat_beat(struct heartbeat *heartbeat, int64_t now_ms)
{
    atomic_store_explicit(&heartbeat->beaten_at_ms, now_ms, memory_order_relaxed);
}

/* One value for both, so that whoever looks never sees half of a change. */
static inline void heartbeat_rest(struct heartbeat *heartbeat, int64_t until_ms)
{
    heartbeat_beat(heartbeat, until_ms);
}

/* For how long it has not turned although it should have; 0 also before its first turn. */
static inline int64_t heartbeat_age_ms(const struct heartbeat *heartbeat, int64_t now_ms)
{
    int64_t at_ms = atomic_load_explicit(&heartbeat->beaten_at_ms, memory_order_relaxed);
    return at_ms == 0 || at_ms > now_ms ? 0 : now_ms - at_ms;
}
