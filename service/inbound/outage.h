/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Says in the log that events get 503, and that they are taken again: each once.
 *
 * Owns:    nothing; the state is the context's.
 * Threads: the context's.
 * Blocks:  never.
 */
#pragma once

#include "service/inbound/call.h"
#include "service/inbound/problem.h"

void outage_note_refusal(struct call *call, const struct problem *problem);
void outage_note_stored(struct call *call); /* an event or a draft is, perhaps after a 503 */
