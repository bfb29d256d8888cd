/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * For how many signals one claim may ask. An answer that is lost may have been too large, say for
 * Redis's client-output-buffer-limit: the next claim asks for half as much, and what succeeds often
 * grows again.
 *
 * Owns: nothing. Threads: one at a time. Blocks: never; it logs when it shrinks for a while.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CLAIM_LIMIT_MAX = 128 }; /* a script must not hold Redis for long */

struct claim_limit {
    size_t current;            /* 1 to CLAIM_LIMIT_MAX */
    unsigned answers_in_a_row; /* since it was halved or doubled, while it is below its maximum */
    bool is_shrunk;            /* halved while it was below its maximum; logged, as the end of it */
};

void claim_limit_init(struct claim_limit *limit);
/* The answer to a claim for `asked_for` was lost. False: there is no less. */
bool claim_limit_halve(struct claim_limit *limit, size_t asked_for);
/* An answer with signals has come. */
void claim_limit_succeed(struct claim_limit *limit);
