/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How a person reads a time, a size and a number of things.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { FIGURE_BYTES = 96 };

/* "33 ms", "5 s", "3 min 20 s", "2 h", "3 days 4 h": the two largest units, without those of 0.
 * Below 0 the same as above. */
void figure_duration(int64_t ms, char out[FIGURE_BYTES]);
/* "5 s ago, 2026-01-02 03:04:05 UTC", or "in 5 s, …". An RFC 3339 text in; anything else is given
 * back as it is. */
void figure_moment(const char *text, int64_t now_ms, char out[FIGURE_BYTES]);
/* "12 bytes", "3.4 KiB", "16 MiB". */
void figure_size(int64_t bytes, char out[FIGURE_BYTES]);
