/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `?wait=5s`: how long an answer is held for the final state, and when to look.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { WAIT_MAX_MS = 30000 };

/* `5s`, `500ms` or `5` (seconds), 0 to WAIT_MAX_MS. */
bool wait_parse(const char *text, int64_t *out_ms);
/* The pause before look number `look` (from 0): 20, 40, 80, 160, then 250 ms. Short at first, since
 * a healthy delivery takes a few hundred milliseconds; bounded, since each look costs Redis. */
int64_t wait_pause_ms(unsigned look);
