/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Lists and replays of the dead, as a test reads them: each must_ waits for its answer.
 *
 * Owns: what the last list said. Threads: one. Blocks: until the answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "service/store/store.h"

struct listed_last {
    unsigned answers;
    size_t count;
    char id[300];
    bool is_more;
    struct replay_dead_result replayed;
    char damaged[300]; /* "id field" of each, with a blank between them */
};
extern struct listed_last seen;

/* Just so many entries of the listing, with this code (NULL: any). */
void must_list(enum store_listing listing, const char *code, size_t count);
/* Just so many of the dead are sent again. */
void must_replay_dead(size_t matched);
void must_replay_code(const char *code, bool is_dry, size_t matched);
