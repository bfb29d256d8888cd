/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How long each shard has been away, as one worker sees it. Leases go on ending meanwhile, though
 * workers hold the outcomes of these attempts: they record them as soon as they are connected
 * again, each after a random pause. A worker that claimed before that would send them once more.
 *
 * Owns: nothing; held by value. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/store/shard.h"

struct store;

enum {
    /* After a shorter one all are in time: an outcome comes 2 s before its lease ends at the
       latest, and the pauses before a connection have not grown to more than another second. */
    ABSENCE_MIN_MS = 1000,
    /* By then all workers of all processes have recorded: their connections pause for up to 2 s
       (link.c) and are inspected, and the recorder may rest for 1 s. */
    ABSENCE_RECORDING_MS = 4000,
};

struct absence {
    int64_t since_ms[SHARD_COUNT_MAX]; /* 0: it is there */
};

/* Each turn, from the first on: whether a shard has come back after so long that leases may have
 * ended. A worker that starts while it is away counts from then on. */
bool absence_turn(struct absence *absence, const struct store *store, int64_t now_ms);
