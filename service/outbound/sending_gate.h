/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How much may be sent now, for all workers together: in-flight limit (adaptive), rate limit,
 * circuit breaker, throttle after 429 (at most RETRY_AFTER_TRUSTED_MS at a time; then one asks
 * whether it is over). Each is a pure struct of its own; the gate holds them under
 * one lock. A pause is not here: it holds for all processes and is Redis's, see claim.lua.
 *
 * Owns:    the counts of places and of what is in flight.
 * Threads: any. Blocks: for its lock, moments.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

#include "service/domain/upstream_reply.h"
#include "service/outbound/circuit_breaker.h"

struct sending_gate;

struct sending_gate_options {
    unsigned in_flight_max;
    unsigned per_second_max;    /* 0: no limit */
    unsigned refusals_max;      /* in a row, for the same reason; see refusal_brake.h */
    unsigned breaker_failures;  /* in a row, to open */
    int64_t breaker_silence_ms; /* see circuit_breaker_init; 0: never */
    int64_t breaker_wait_ms;    /* before a probe; grows with each failed probe up to
                                   `breaker_wait_max_ms` */
    int64_t breaker_wait_max_ms;
};

MUST_CHECK struct sending_gate *sending_gate_create(const struct sending_gate_options *options,
                                                    struct error *error);
void sending_gate_destroy(struct sending_gate *gate);
DEFINE_AUTO(sending_gate);

/* Reserves up to `wanted` places; returns how many. 0: try again after `out_wait_ms` (or when
 * somebody returns places). With the breaker open exactly one place is given per probe. */
size_t sending_gate_enter(struct sending_gate *gate, size_t wanted, int64_t now_ms,
                          int64_t *out_wait_ms);
/* The same for who may as well do without: none while the breaker or a throttle has anything to
 * say, so that what asks SEEK whether it is back is what waits for it. */
size_t sending_gate_enter_open(struct sending_gate *gate, size_t wanted, int64_t now_ms);
/* How many of `wanted` may be claimed for places that others are about to leave: as many as are in
 * flight, none while anything else than their number keeps the gate shut. Reserves nothing. */
size_t sending_gate_ahead(struct sending_gate *gate, size_t wanted);
/* Gives back places that were not used (nothing was due): the rate limiter gets its permits back
 * too. */
void sending_gate_return(struct sending_gate *gate, size_t count);
/* An attempt goes out on one of the places reserved. */
void sending_gate_start(struct sending_gate *gate);
/* It was cut by us, and says nothing of SEEK. */
void sending_gate_cut(struct sending_gate *gate);
/* It came back: one place is free again, and this is what was observed. VERDICT_REFUSED proves that
 * SEEK answers; VERDICT_AUTH does so when SEEK has taken that access token before, else it is a
 * failure that everybody shares, as VERDICT_MISCONFIGURED is. Returns how long the breaker will let
 * nobody in, 0 when it is closed. */
int64_t sending_gate_leave(struct sending_gate *gate, const struct verdict *verdict,
                           bool is_token_proven, int64_t now_ms);

/* Whether what left meanwhile was a run of equal refusals: true once for each. */
bool sending_gate_take_brake(struct sending_gate *gate);

enum { SENDING_FAILURE_BYTES = 384 };

struct sending_gate_status {
    size_t in_flight;         /* started: without the places that a claim has only reserved */
    unsigned in_flight_limit; /* the adaptive one */
    enum breaker_state breaker;
    bool is_breaker_known;    /* false: it was open, and nobody has asked for a probe for long */
    int64_t throttled_for_ms; /* 0: not */
    /* Code and message of the attempt that came back last, "" when SEEK answered it. */
    char last_failure[SENDING_FAILURE_BYTES];
};
void sending_gate_status(struct sending_gate *gate, int64_t now_ms,
                         struct sending_gate_status *out);
