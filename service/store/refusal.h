/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What an error answer of Redis means, and what to do about it.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct refusal {
    const char *word; /* what Redis says */
    const char *sentence;
    bool is_elsewhere; /* another server may be the right one: connect again and look */
};

/* Never NULL: the last row stands for all errors that are not in the table. */
const struct refusal *refusal_of(const char *answer);
/* The row's sentence; for an unknown error what Redis said, less the arguments that it repeats:
 * those may be seek-tokens. */
void refusal_describe(const char *answer, char *text, size_t text_bytes);
/* The server does not know the script (any more). */
bool refusal_is_unknown_script(const char *answer);
