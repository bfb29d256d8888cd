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

#include "lib/net/http_server.h"

#include "service/sandbox/state.h"

/* Answers at once or later; the request's user data belongs to it from here. */
void exchange_begin(struct state *state, struct http_request *request, enum call_kind kind);
/* Answers what is due. */
void exchange_turn(struct state *state, int64_t now_ms);
/* The request is over, answered or not. Accepts a request that never began. */
void exchange_end(struct http_request *request);
