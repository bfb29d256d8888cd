/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Notices a run of refusals for the same reason, without any signal delivered in between: it is not
 * these signals' fault then, and going on would only kill more of them.
 *
 * Owns: nothing; a pure struct. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "service/domain/upstream_reply.h"

struct refusal_brake {
    unsigned refusals_max; /* set by init, then read-only; 0: never brakes */
    unsigned count;        /* of equal ones in a row */
    char code[VERDICT_CODE_BYTES];
    char message[VERDICT_MESSAGE_BYTES];
};

void refusal_brake_init(struct refusal_brake *brake, unsigned refusals_max);
/* What came of an attempt. True: this is the last of so many, and the count begins anew. */
bool refusal_brake_note(struct refusal_brake *brake, const struct verdict *verdict);
