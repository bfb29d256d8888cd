/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One call of SEEK's two endpoints, from the complete request to the answer or what happens
 * instead: the real answer, the fault that spoils it, the ledger's entry, the wait.
 *
 * Owns:    itself; freed by exchange_end.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include "service/sandbox/caller.h"
#include "service/sandbox/state.h"

struct exchange;

/* Answers at once or later. */
void exchange_begin(struct state *state, const struct caller *caller, enum call_kind kind);
/* Answers what is due. */
void exchange_turn(struct state *state, int64_t now_ms);
/* The request is over, answered or not. Accepts NULL. */
void exchange_end(struct exchange *take_exchange);
