/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Takes work for one worker: claims from the store what can start now, that is, while something is
 * due, there is an access token, the gate has places and the worker has free attempts. Hands it to
 * the sender. A stop lets it go on for as long as an attempt still fits in: the last events of a
 * job would else wait for a process that may never come.
 *
 * It also claims ahead: as many more as came back from SEEK while the last claim was on its way,
 * since their places will be free when the answer is here. So SEEK and the store work at the same
 * time. What finds no place all the same waits, shortly, for one that this worker leaves; it is
 * released when that takes long, and when nothing may be sent any more.
 *
 * Owns:    the places of the gate for the claim on its way.
 * Threads: one, the worker's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/outbound/attempt.h"
#include "service/outbound/authorizer.h"
#include "service/outbound/claim_limit.h"
#include "service/outbound/sender.h"
#include "service/outbound/worker_shared.h"
#include "service/store/store.h"

enum claimer_state {
    CLAIMER_IDLE,
    CLAIMER_HELD_BACK,  /* something is due, and the gate had no place in this turn */
    CLAIMER_CLAIMING,   /* a claim is on its way */
    CLAIMER_LOST,       /* so was the answer: nobody knows what the claim took */
    CLAIMER_RECOVERING, /* the claim is on its way that gives it back */
    CLAIMER_STATE_COUNT,
};

struct claimer {
    int worker;                   /* its number, for the watch */
    struct worker_shared *shared; /* all borrowed: outlive us */
    struct store *store;
    struct attempts *attempts;
    struct authorizer *authorizer;
    struct sender *sender;

    enum claimer_state state;
    struct claim_limit limit;
    size_t asked_for;           /* signals, by the last claim */
    size_t places_reserved;     /* of the gate, for the claim on its way; 0 in any other state */
    size_t returned_meanwhile;  /* from SEEK, while the last claim was on its way */
    uint64_t returned_at_claim; /* attempts->returned_count at the last claim */
    int64_t claimed_at_ms;
    int64_t rest_until_ms;   /* after trouble: no claim before */
    int64_t yields_until_ms; /* to those that have outcomes to record: none that takes anything */
};

/* How long a worker rests at most. The owner of the watch and its deputy rest for less. */
enum { CLAIMER_WAIT_MAX_MS = 20000 };

/* Claims if everything allows it. Returns when to call again at the latest. */
int64_t claimer_turn(struct claimer *claimer, bool is_store_ready, int64_t now_ms);
/* In a stop, after a turn: an attempt will be begun before long, and there is time for it. */
bool claimer_is_about_to_begin(const struct claimer *claimer, int64_t now_ms);
