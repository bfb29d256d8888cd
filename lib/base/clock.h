/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The two clocks. Durations and deadlines use the monotonic one, which no administrator can step;
 * moments that leave the process use the wall clock.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/rfc3339.h"

/* Milliseconds since an arbitrary start; keeps counting while the machine is suspended, since a
 * lease in Redis does so too (CLOCK_BOOTTIME). */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* Since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);
/* The shorter of two waits; a negative one is without end. */
int64_t clock_sooner_ms(int64_t a_ms, int64_t b_ms);
