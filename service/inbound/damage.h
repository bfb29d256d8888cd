/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What a replay finds damaged in Redis is told as a claim tells it: a line of the log, and a count.
 *
 * Owns: nothing. Threads: an intake's. Blocks: never.
 */
#pragma once

struct call;

/* `field`: as store_replay has it; "": nothing is told. */
void damage_tell(const struct call *call, const char *application_id, const char *field);
