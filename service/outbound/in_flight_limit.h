/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How many requests may be on their way: additive increase, multiplicative decrease. It starts at
 * the maximum, since SEEK's capacity is far above an ATS's needs, and finds its level when SEEK
 * shows strain.
 *
 * Owns: nothing; a pure struct, time is an argument. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct in_flight_limit {
    unsigned max; /* set by init, then read-only */

    unsigned current;   /* 1 to `max` */
    unsigned successes; /* towards the next increase */
    bool was_halved;
    int64_t halved_at_ms;
};

void in_flight_limit_init(struct in_flight_limit *limit, unsigned max);
/* One more after as many successes as the limit is high. */
void in_flight_limit_succeed(struct in_flight_limit *limit);
/* Halves, at most once per second: requests that were on their way together fail together, for one
 * reason. */
void in_flight_limit_strain(struct in_flight_limit *limit, int64_t now_ms);
