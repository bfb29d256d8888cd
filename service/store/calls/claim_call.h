/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One claim on one shard (claim_call.c), and what is made of several of them.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include "service/store/script_call.h"

/* Looked at, in a claim, for the clock's sake (claim.lua). */
enum { CLAIM_REPAIRED_MAX = 101 };

struct claim_results { /* of a call */
    struct claim_result result;
    struct claim_damage *damaged; /* behind the claims, and the ids behind these */
    char (*event_ids)[ATTEMPT_ID_BYTES];
    struct claim claims[];
};

/* NULL: ERROR_IO, ERROR_MEMORY. */
MUST_CHECK struct script_call *claim_make(struct store *store, struct shard *shard, size_t limit,
                                          struct error *error);
/* What is known of the shard's claims once one was sent, and once it has ended. */
void claim_note_sent(struct shard *shard);
void claim_note_end(const struct script_call *call, const struct store_failure *failure);

/* As store_claim, with more than one shard: claim_many.c. */
MUST_CHECK bool claim_from_many(struct store *store, size_t limit, store_claim_done done,
                                void *context, struct error *error);
