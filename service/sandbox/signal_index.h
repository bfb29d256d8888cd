/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The signals SEEK took, one per seek-token, in order of their first delivery. The deliveries of a
 * signal are a list through the ledger's calls.
 *
 * Owns:    its table; the calls stay the ledger's.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/sandbox/call.h"

struct taken_signal {
    struct sandbox_call *first, *last; /* borrowed: the ledger outlives the index */
    uint64_t count;
};

struct signal_index {
    struct taken_signal *signals; /* owned */
    size_t count, capacity;
    uint32_t *slots;   /* owned; position in `signals` plus 1; 0: free */
    size_t slot_count; /* a power of two, at least twice `count` */
};

void signal_index_init(struct signal_index *index);
void signal_index_fini(struct signal_index *index); /* usable again, empty */
/* `call` is delivered and has a seek-token. */
MUST_CHECK bool signal_index_add(struct signal_index *index, struct sandbox_call *call,
                                 struct error *error);
/* NULL when there is none. */
const struct taken_signal *signal_index_find(const struct signal_index *index,
                                             const char *seek_token);
