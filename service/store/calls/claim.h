/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A worker takes what is due, and has it for the time of a lease.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

struct claim {
    const char *application_id;
    const char *seek_token;
    const char *event_id;
    const char *traceparent; /* "" */
    uint64_t generation;     /* the fence: passed back with the settlement */
    unsigned attempt;        /* this one's number, from 1 */
    int64_t completed_at_ms;
    int64_t age_ms; /* since accepted or replayed */
    bool was_auth_before;
    bool was_expired; /* the attempt before this one never reported back */
};
/* What somebody else has written over or taken away: it is among the dead now. */
struct claim_damage {
    const char *application_id;
    const char *field; /* missing or not ours; "key": all of it is something else */
};
struct claim_result {
    const struct claim *claims;
    size_t count;
    const struct claim_damage *damaged;
    size_t damaged_count;
    int64_t next_due_in_ms; /* -1: nothing else waits; 0: more is due now */
    size_t due_count;       /* pending and sending applications in all */
    bool is_paused;         /* nothing is claimed until somebody resumes */
    size_t repaired_count;  /* due sooner again, since Redis's clock was set back */
};
typedef void (*store_claim_done)(void *context, const struct store_failure *failure,
                                 const struct claim_result *result);
/* Takes at most `limit`, which are to start when the answer is here; one claim at a time. What an
 * earlier one took whose answer was lost is given back first, also with a limit of 0: nobody has
 * it. The lease runs from Redis's receipt: do not start one whose answer came later than the lease
 * less the attempt's budget after this call. */
MUST_CHECK bool store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                            struct error *error);
/* Of many shards, whether nothing is taken from this one, for now. True: that has just ended. */
bool store_hold_claims(struct store *store, unsigned shard, bool is_held);
