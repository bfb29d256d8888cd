/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The two clocks. Durations and deadlines use the monotonic one, which no administrator can step;
 * moments that leave the process use the wall clock.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds since an arbitrary start; keeps counting while the machine is suspended, since a
 * lease in Redis does so too (CLOCK_BOOTTIME). */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

enum { RFC3339_BYTES = sizeof "9999-12-31T23:59:59.999Z" };

/* RFC 3339 section 5.6 `date-time`, any offset, to milliseconds since 1970; finer digits are cut.
 * False when `text` is anything else (years 1970 to 9999). A leap second :60 is read as :59.999. */
bool rfc3339_parse(const char *text, size_t length, int64_t *out_ms);
/* Always UTC with milliseconds and Z: the form of SEEK's samples. */
void rfc3339_format(int64_t wall_ms, char text[RFC3339_BYTES]);
