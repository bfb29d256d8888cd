/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The meaning of an error answer of Redis, and its remedy.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct refusal {
    const char *word; /* what Redis says */
    const char *sentence;
    bool is_elsewhere;  /* another server may be the right one: connect again and look */
    bool is_passing;    /* its slot is elsewhere, or on its way: nothing was done */
    bool is_of_cluster; /* another node may have the data by now: ask which */
    bool is_of_writes;  /* what takes no memory or writes nothing may pass */
    bool is_of_rights;  /* the user may not do it */
};

/* That the user may not run these commands, whose names are not ended. */
void refusal_describe_commands(const char *names, size_t length, char *text, size_t text_bytes);

/* Never NULL: the last row stands for all errors that are not in the table. */
const struct refusal *refusal_of(const char *answer);
/* The row's sentence, with the command that the user may not run where Redis names it; for an
 * unknown error what Redis said, less the arguments that it repeats: those may be seek-tokens. */
void refusal_describe(const char *answer, char *text, size_t text_bytes);
/* The server does not know the script (any more). */
bool refusal_is_unknown_script(const char *answer);
