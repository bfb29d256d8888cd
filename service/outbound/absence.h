/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How long each shard has been away, as one worker sees it. Leases go on ending meanwhile, though
 * workers hold the outcomes of these attempts: they record them as soon as they are connected
 * again, each after a random pause. A worker that claimed before that would send them once more. So
 * it claims nothing from a shard that has come back, for a while:
 *
 *     away ──► there, yielded to those that record ──► there, claimed from ──► there
 *               for ABSENCE_RECORDING_MS                for ABSENCE_CLAIMING_MS
 *
 * Only the time counts in which the shard is there. One that goes and comes again and again is
 * claimed from now and then, and keeps no other shard waiting.
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
    ABSENCE_CLAIMING_MS = 1000, /* at least, before it is yielded again */
};

struct absence { /* all zero at first */
    int64_t turned_at_ms;
    struct {
        int64_t since_ms; /* 0: it is there */
        int64_t left_ms;  /* until it may be yielded again; it is, for all but the last
                             ABSENCE_CLAIMING_MS of them */
    } shards[SHARD_COUNT_MAX];
};

/* Each turn, from the first on. A worker that starts while a shard is away counts from then on. */
void absence_turn(struct absence *absence, const struct store *store, int64_t now_ms);
bool absence_is_yielded(const struct absence *absence, unsigned shard);
/* How long until the first of the shards that are there may be claimed from; 0: one may, or none is
 * there. */
int64_t absence_wait_ms(const struct absence *absence, unsigned shard_count);
/* How long until the first of those that are yielded may be; -1: none is. */
int64_t absence_timeout_ms(const struct absence *absence, unsigned shard_count);
