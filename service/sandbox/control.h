/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The control API, /sandbox/…: faults, settings, ledger.
 *
 * Owns: nothing. Threads: one, the loop's. Blocks: never.
 */
#pragma once

#include "lib/net/http_server.h"

#include "service/sandbox/state.h"

/* Replies. */
void control_answer(struct state *state, struct http_request *request);
/* Replies with {"error":"…"}. */
void control_refuse(struct http_request *request, unsigned status, const char *message);
