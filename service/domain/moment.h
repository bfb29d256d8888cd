/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A moment as a person gives it: RFC 3339, or how long ago.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* `2026-01-02T03:04:05Z`, or `90s`, `30m`, `2h`, `7d`, `2w` and sums such as `1d12h`: that long
 * before `now_ms`. Milliseconds since 1970, at least 1. False for anything else. */
bool moment_parse(const char *text, int64_t now_ms, int64_t *out_ms);
