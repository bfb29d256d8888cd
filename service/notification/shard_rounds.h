/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Which of many shards a notifier asks. While nothing happens the first alone, where the lease is,
 * and a glance at some others; all of them for a while once something has happened anywhere.
 *
 * Owns: nothing; held by value. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/store/calls/glance.h"
#include "service/store/shard.h"

struct store;

/* As long as a lease: who takes over has to wait for the leases of some shards. */
enum { SHARD_ROUNDS_STIRRED_MS = 15000 };

struct shard_rounds {
    struct store *store; /* borrowed */
    bool is_of_all;      /* the look under way */
    bool is_ours;        /* this process tells, as the last look found */
    bool is_first_away;  /* so that it cannot say who tells */
    int64_t all_until_ms;
    unsigned next; /* to be glanced at */
    bool is_glancing;
    int64_t died_at_ms[SHARD_COUNT_MAX]; /* the latest death, as seen last */
};

void shard_rounds_init(struct shard_rounds *rounds, struct store *store);
/* Something has happened: another shard may know of more. */
void shard_rounds_stir(struct shard_rounds *rounds, int64_t now_ms);
/* A look begins; whether it asks all. `is_urgent`: something has to be said to one of them. */
bool shard_rounds_begin(struct shard_rounds *rounds, bool is_urgent, int64_t now_ms);
/* It ends, or could not begin: who tells, and whether there is something to tell. False: all are
 * to be asked before anything is told. */
bool shard_rounds_end(struct shard_rounds *rounds, bool is_answered, bool is_ours, bool is_news,
                      int64_t now_ms);
