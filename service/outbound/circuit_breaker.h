/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Stops the sending after a run of failures (a short one when it lasts and SEEK says nothing), then
 * tries with one request at a time.
 *
 *     closed ──(failures in a row)──► open ──(wait is over)──► probing
 *        ▲                             ▲                        │   │
 *        │                             └──(failure: longer wait)┘   │
 *        └─────────────────────(success)────────────────────────────┘
 *
 * Owns: nothing; a pure struct, time is an argument. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_PROBING };

struct circuit_breaker {
    /* Set by init, then read-only. */
    unsigned failures_max;
    int64_t silence_max_ms;
    int64_t wait_first_ms, wait_max_ms;

    enum breaker_state state;
    unsigned failures; /* in a row, while closed */
    int64_t failing_since_ms;
    int64_t wait_ms;     /* before the next probe */
    int64_t probe_at_ms; /* while open */
};

enum { CIRCUIT_BREAKER_FEW = 3 };
/* Opens at `failures_max` in a row, and at CIRCUIT_BREAKER_FEW over `silence_max_ms` (0: never):
 * few signals would else reach long pauses of their own first. */
void circuit_breaker_init(struct circuit_breaker *breaker, unsigned failures_max,
                          int64_t silence_max_ms, int64_t wait_first_ms, int64_t wait_max_ms);

enum breaker_answer { BREAKER_ALLOWS, BREAKER_ALLOWS_ONE, BREAKER_REFUSES };
/* BREAKER_ALLOWS_ONE is the probe. When refused: try again after `out_wait_ms`. The caller asks for
 * a probe only when nothing else is on its way, so that what comes back while probing is the
 * probe's. */
enum breaker_answer circuit_breaker_ask(struct circuit_breaker *breaker, int64_t now_ms,
                                        int64_t *out_wait_ms);
/* The probe was not needed after all: the next one may go at once. */
void circuit_breaker_withdraw(struct circuit_breaker *breaker);
void circuit_breaker_succeed(struct circuit_breaker *breaker);
/* `is_silent`: SEEK said nothing, so that it is no single signal's trouble. */
void circuit_breaker_fail(struct circuit_breaker *breaker, bool is_silent, int64_t now_ms);
