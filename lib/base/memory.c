/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/memory.h"

#include <malloc.h>
#include <stdlib.h>

enum {
    LARGE_BYTES = 256 * 1024,
    LOOK_MS = 1000,
    LOOKS = 4,
    QUIET_LOOK_MS = 5000,
    CHANGE_BYTES = 64 * 1024,
    WORTH_IT_BYTES = 4 * 1024 * 1024,
};

/* glibc would raise both thresholds with each large piece that is freed, up to 32 and 64 MiB. */
void memory_init(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES);
}

/* malloc_trim leaves the top of an arena of a thread as it is. It is given back when a piece is
 * freed that is large enough and lies at the top, in the thread whose arena it is. */
void memory_trim_own(void)
{
    enum { PIECE_BYTES = LARGE_BYTES / 2 };
    void *volatile piece = malloc(PIECE_BYTES); /* else the compiler leaves out both */
    free(piece);
}

int64_t memory_watch_timeout_ms(const struct memory_watch *watch, int64_t now_ms)
{
    return watch->look_at_ms > now_ms ? watch->look_at_ms - now_ms : 0;
}

void memory_watch_turn(struct memory_watch *watch, int64_t now_ms)
{
    if (now_ms < watch->look_at_ms)
        return;
    watch->look_at_ms = now_ms + LOOK_MS;
    const struct mallinfo2 state = mallinfo2();
    size_t unused_bytes = state.fordblks + state.fsmblks;
    if (state.uordblks > watch->used_bytes + CHANGE_BYTES ||
        state.uordblks + CHANGE_BYTES < watch->used_bytes) {
        watch->used_bytes = state.uordblks;
        watch->is_changed = true;
    }
    if (watch->looks == 0 && !watch->is_changed) {
        watch->look_at_ms = now_ms + QUIET_LOOK_MS;
        return;
    }
    if (watch->looks == 0)
        watch->is_changed = false; /* what changes during these looks is looked at again */
    if (watch->looks == 0 || unused_bytes < watch->unused_bytes)
        watch->unused_bytes = unused_bytes;
    if (++watch->looks < LOOKS)
        return;
    watch->looks = 0;
    if (watch->unused_bytes >= WORTH_IT_BYTES)
        (void)malloc_trim(0);
}
