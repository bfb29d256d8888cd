/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Memory that was needed once goes back to the system. malloc alone keeps what lies between two
 * pieces that are in use, and, after a few large ones, large ones as well.
 *
 * Owns:    nothing.
 * Threads: memory_init before the first thread starts; a watch belongs to one loop.
 * Blocks:  memory_watch_turn, for some milliseconds when it gives much back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is large is taken from the system by itself and given back as soon as it is freed. */
void memory_init(void);

/* The same for what this thread has freed, of which memory_watch_turn only reaches what lies in
 * between. */
void memory_trim_own(void);

struct memory_watch { /* zeroed */
    int64_t look_at_ms;
    unsigned looks;
    size_t unused_bytes; /* the least of these looks */
    size_t used_bytes;   /* when they were seen to change */
    bool is_changed;     /* since these looks began; else there is no look before long */
};

/* What has been unused for some seconds is given back. */
int64_t memory_watch_timeout_ms(const struct memory_watch *watch, int64_t now_ms);
void memory_watch_turn(struct memory_watch *watch, int64_t now_ms);
