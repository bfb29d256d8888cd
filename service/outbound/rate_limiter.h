/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A token bucket: so many per second on average, and no burst longer than a tenth of a second's
 * worth.
 *
 * Owns: nothing; a pure struct, time is an argument. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rate_limiter {
    unsigned per_second; /* set by init, then read-only; 0: no limit */

    /* In thousandths of a permit: `per_second` of them arrive each millisecond, so nothing is ever
     * rounded. */
    int64_t level;
    int64_t filled_at_ms;
};

void rate_limiter_init(struct rate_limiter *limiter, unsigned per_second, int64_t now_ms);
/* At most `wanted`. 0: one more will be there after `out_wait_ms`. */
size_t rate_limiter_take(struct rate_limiter *limiter, size_t wanted, int64_t now_ms,
                         int64_t *out_wait_ms);
/* What was taken and not used. */
void rate_limiter_return(struct rate_limiter *limiter, size_t count);
