/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The latest TAIL_ENTRIES_MAX log lines about signals, in memory, for callers that follow them.
 * Kept only while somebody asks, and for TAIL_LISTENED_MS after.
 *
 * Owns:    its entries; log lines reach it by log_set_tap.
 * Threads: init and fini alone; everything else any.
 * Blocks:  for its lock, moments.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/log.h"
#include "lib/base/mutex.h"

#include "service/domain/event.h"

enum {
    TAIL_ENTRIES_MAX = 1024,
    TAIL_READ_MAX = 250, /* at a time */
    TAIL_ENTRY_BYTES_MAX = 4096,
    TAIL_LISTENED_MS = 60000,
    TAIL_CLASS_BYTES = 32,
};

struct tail_entry { /* read-only once it is in the ring */
    _Atomic unsigned holders;
    const char *event; /* the log's own text */
    char class[TAIL_CLASS_BYTES];
    char application[APPLICATION_ID_BYTES_MAX + 1]; /* "": it is about none */
    size_t length;
    char json[]; /* an object, without a line's end */
};

struct tail_ring {
    struct log_tap tap;
    _Atomic int64_t listened_until_ms; /* monotonic */
    struct {
        struct mutex lock;
        uint64_t epoch;                               /* another one whenever it begins anew */
        uint64_t last;                                /* the number of the latest, from 1 */
        struct tail_entry *entries[TAIL_ENTRIES_MAX]; /* NULL: no memory was left for it */
    } shared;
};

struct tail_place { /* behind which to read */
    uint64_t epoch, number;
};

struct tail_page {
    size_t count;
    struct tail_entry *entries[TAIL_READ_MAX]; /* held until tail_page_fini */
    struct tail_place next;
    /* Of those that came before the first one here, and are not kept any more; -1: nobody knows,
     * since nobody has listened meanwhile, or another process has. */
    int64_t missed;
};

/* Whether there may be entries with this event. */
bool tail_ring_shows(const char *event);

/* In memory that is all zero. */
void tail_ring_init(struct tail_ring *ring);
void tail_ring_fini(struct tail_ring *ring);
/* The oldest behind the place; `place` NULL: nothing, but from now on. Somebody listens by this. */
void tail_ring_read(struct tail_ring *ring, const struct tail_place *place, int64_t now_ms,
                    struct tail_page *out);
void tail_page_fini(struct tail_page *page);
