/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Every call of SEEK's two endpoints and its outcome.
 *
 * Full (the maximum of calls, or LEDGER_BYTES_MAX) means: later calls are counted, not kept, and
 * `is_full` says so.
 *
 * Owns:    its calls.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/ownership.h"

#include "service/sandbox/call.h"
#include "service/sandbox/signal_index.h"

#define LEDGER_BYTES_MAX ((size_t)1 << 30)
enum { LEDGER_CALLS_MAX_DEFAULT = 1000000, LEDGER_CALLS_MAX_MAX = 100000000, TALLIES_MAX = 64 };

struct tally {
    char outcome[64];
    uint64_t count;
};

struct ledger { /* read by its pages, changed by the functions below alone */
    size_t calls_max;
    struct sandbox_call **calls; /* owned */
    size_t count, capacity;
    size_t bytes;
    uint64_t sequence_first; /* of calls[0] */
    bool is_full;
    struct signal_index signals;
    uint64_t delivered, expired; /* signals taken; those of expired seek-tokens among them */
    uint64_t totals[CALL_KIND_COUNT];
    /* By outcome; the last one is "other" once all others are in use. */
    struct tally tallies[CALL_KIND_COUNT][TALLIES_MAX];
};

MUST_CHECK struct ledger *ledger_create(size_t calls_max, struct error *error);
void ledger_destroy(struct ledger *ledger); /* accepts NULL */
DEFINE_AUTO(ledger);

/* Consumes the call. False: counted, not kept. */
bool ledger_add(struct ledger *ledger, struct sandbox_call *take_call, bool is_expired);
/* Forgets calls, signals and counts; sequences go on. */
void ledger_clear(struct ledger *ledger);
