/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What a worker was given becomes attempts, and these start, each on a place of the gate: what it
 * claimed, and what the intake leased for it. An attempt that cannot start is released. A part of
 * the claimer, whose state it uses.
 *
 * Owns:    nothing.
 * Threads: one, the worker's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/outbound/claimer.h"

/* How long what is claimed waits for a place: meanwhile nobody else can send it. */
enum { STARTING_WAIT_MAX_MS = 1000 };

/* False: the stop leaves no time for another attempt. */
bool starting_may_begin(const struct claimer *claimer, int64_t now_ms);
/* Attempts, claimed, of what a claim has brought. */
void starting_take(struct claimer *claimer, const struct claim_result *result, int64_t now_ms);
/* The same for what the intake leased, leaving room for `awaited` of a claim. Returns the places of
 * the gate that came along, which are the caller's. */
size_t starting_take_handed(struct claimer *claimer, size_t awaited);
/* Sends what is claimed on `places`, which it uses or returns, and as many more as the gate gives.
 */
void starting_start(struct claimer *claimer, size_t places, int64_t now_ms);
