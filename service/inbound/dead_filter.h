/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The filter of POST /v1/replay and POST /v1/forget. A member that is not known is refused here,
 * unlike elsewhere: a mistyped "dryrun" must not replay for real.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/domain/upstream_reply.h"
#include "service/inbound/cursor.h"
#include "service/inbound/problem.h"

/* A message as long as the longest that is kept: those of a group may differ only at their end. */
enum { DEAD_FILTER_BYTES = 128, DEAD_FILTER_MESSAGE_BYTES = VERDICT_MESSAGE_BYTES };
enum { REPLAY_PER_SECOND_DEFAULT = 20, REPLAY_PER_SECOND_MAX = 100000 };
enum { DEAD_LIMIT_MAX = 10000 }; /* of one request; then the caller goes on by the cursor */

/* The numbers of a replay's cursor. */
enum {
    DEAD_CURSOR_AT_MS,
    DEAD_CURSOR_LATEST_DEATH_MS,
    DEAD_CURSOR_NEXT_DUE_US,
    DEAD_CURSOR_SHARD,
    DEAD_CURSOR_NUMBERS
};

struct dead_filter {
    char class[DEAD_FILTER_BYTES], code[DEAD_FILTER_BYTES]; /* "": any */
    /* How they begin; "": any. */
    char message[DEAD_FILTER_MESSAGE_BYTES], prefix[APPLICATION_ID_BYTES_MAX + 1];
    int64_t since_ms, until_ms; /* 0: any */
    bool is_dry;
    int64_t per_second;
    int64_t limit; /* how many at most */
    bool has_cursor;
    struct cursor cursor;
    char unknown[DEAD_FILTER_BYTES]; /* the member that is refused; "": none */
};

/* `has_rate`: of a replay, which may name `perSecond`. `now_ms`: what durations count back from.
 * False and `problem`, whose texts are constants, in `out` or in `detail`. */
MUST_CHECK bool dead_filter_parse(const char *body, size_t length, bool has_rate, int64_t now_ms,
                                  struct dead_filter *out, struct problem *problem,
                                  struct error *detail);
