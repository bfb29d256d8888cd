/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The attempts of one worker, from the claim until the store has recorded their outcomes.
 *
 *     free ──► claimed ──► sending ──► finished ──► settling ──► free
 *                 └────(never sent)───────▲  └─(connection lost)─┘
 *
 * There are three times as many as the worker may have on its way to SEEK, so that some are sent
 * while others are claimed or wait for the store; a worker whose attempts are all taken claims
 * nothing. So what waits in memory for the store to come back is bounded.
 *
 * Owns:    its attempts and their seek-tokens.
 * Threads: one, the worker's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/base/error.h"

#include "service/domain/delivery.h"
#include "service/domain/event.h"
#include "service/domain/upstream_reply.h"
#include "service/store/store.h"

struct span;

enum attempt_state {
    ATTEMPT_FREE,
    ATTEMPT_CLAIMED,
    ATTEMPT_SENDING,
    ATTEMPT_FINISHED, /* `action` is to be recorded */
    ATTEMPT_SETTLING, /* it is on its way to the store */
    ATTEMPT_STATE_COUNT,
};

struct attempt {
    TAILQ_ENTRY(attempt) links; /* of those in the same state */
    enum attempt_state state;
    void *owner; /* borrowed: for callbacks that are given the attempt */

    char application_id[APPLICATION_ID_BYTES_MAX + 1];
    char event_id[ATTEMPT_ID_BYTES];
    char request_id[ATTEMPT_ID_BYTES];
    char traceparent[TRACEPARENT_BYTES + 1];
    char *seek_token;  /* owned until it was sent, and to be kept out of SEEK's words */
    struct span *span; /* owned while it is sending; NULL: not traced */
    uint64_t generation;
    unsigned number;      /* from 1 */
    unsigned repetitions; /* of it, after requests that SEEK did not process */
    int64_t completed_at_ms;
    int64_t claimed_at_ms, age_ms; /* when the claim was answered; of the event by then */
    int64_t begin_until_ms;        /* later its lease might end before it does: the lease's end less
                                    * the time of an attempt */
    bool was_auth_before;
    uint64_t access_token_generation;

    enum settle_action action;
    const char *damage; /* SETTLE_DAMAGED: the field */
    int64_t delay_ms;
    struct verdict verdict;
};

TAILQ_HEAD(attempt_list, attempt);

struct attempts {
    void *owner;           /* borrowed: outlives us */
    struct attempt *items; /* owned; memory that was never used is never touched */
    size_t size;
    size_t used_count; /* the first of them; the others are free and in no list */
    size_t sending_max;
    struct attempt_list lists[ATTEMPT_STATE_COUNT]; /* by state, as the counts */
    size_t counts[ATTEMPT_STATE_COUNT];
    uint64_t returned_count; /* so far, from SEEK: answered, failed or cut */
};

/* `sending_max`: on their way to SEEK at a time. */
MUST_CHECK bool attempts_init(struct attempts *attempts, size_t sending_max, void *owner,
                              struct error *error);
void attempts_fini(struct attempts *attempts);
/* How many more may be sent now, and how many more may be claimed: as many again. */
size_t attempts_room(const struct attempts *attempts);
size_t attempts_claim_room(const struct attempts *attempts);
/* A free one, filled from the claim; NULL when there is none or no memory. It is claimed. What
 * Redis gives is checked before it comes into a request to SEEK: a bad trace is left out; `damage`
 * names any other field that is bad, with which nothing can be sent. */
struct attempt *attempts_take(struct attempts *attempts, const struct claim *claim, int64_t now_ms);
void attempts_move(struct attempts *attempts, struct attempt *attempt, enum attempt_state next);
