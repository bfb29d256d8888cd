/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What POST /v1/replay asks for. A member that is not known is refused here, unlike elsewhere: a
 * mistyped "dryrun" must not replay for real.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/inbound/cursor.h"
#include "service/inbound/problem.h"

enum { REPLAY_CODE_BYTES = 128, REPLAY_PER_SECOND_DEFAULT = 20, REPLAY_PER_SECOND_MAX = 100000 };

/* The numbers of a replay's cursor. */
enum {
    REPLAY_CURSOR_AT_MS,
    REPLAY_CURSOR_LATEST_DEATH_MS,
    REPLAY_CURSOR_NEXT_DUE_US,
    REPLAY_CURSOR_NUMBERS
};

struct replay_filter {
    char code[REPLAY_CODE_BYTES]; /* "": any */
    bool is_dry;
    int64_t per_second;
    bool has_cursor;
    struct cursor cursor;
};

/* False and `problem`, whose texts are constants or in `detail`. */
MUST_CHECK bool replay_filter_parse(const char *body, size_t length, struct replay_filter *out,
                                    struct problem *problem, struct error *detail);
