/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A replay reports what it finds damaged in Redis as a claim does: by a line of the log, and a count.
 *
 * Owns: nothing. Threads: an intake's. Blocks: never.
 */
#pragma once

struct call;

/* `field`: as store_replay has it; "": there is nothing to report. */
void damage_tell(const struct call *call, const char *application_id, const char *field);
