/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/rate_limiter.h"

#include <assert.h>

enum {
    PERMIT = 1000,
    BURST_DIVISOR = 10,
    FULL_AFTER_MS = 1000, /* whatever the rate, the bucket is full by then */
};

static int64_t capacity(const struct rate_limiter *limiter)
{
    unsigned permits = limiter->per_second / BURST_DIVISOR;
    return (int64_t)PERMIT * (permits > 0 ? permits : 1);
}

static void add(struct rate_limiter *limiter, int64_t amount)
{
    int64_t level = limiter->level + amount;
    limiter->level = level < capacity(limiter) ? level : capacity(limiter);
    assert(limiter->level <= capacity(limiter));
}

static void fill(struct rate_limiter *limiter, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - limiter->filled_at_ms;
    if (elapsed_ms <= 0)
        return;
    limiter->filled_at_ms = now_ms;
    add(limiter, limiter->per_second * (elapsed_ms < FULL_AFTER_MS ? elapsed_ms : FULL_AFTER_MS));
}

void rate_limiter_init(struct rate_limiter *limiter, unsigned per_second, int64_t now_ms)
{
    *limiter = (struct rate_limiter){.per_second = per_second, .filled_at_ms = now_ms};
    limiter->level = capacity(limiter);
}

size_t rate_limiter_take(struct rate_limiter *limiter, size_t wanted, int64_t now_ms,
                         int64_t *out_wait_ms)
{
    if (limiter->per_second == 0)
        return wanted;
    fill(limiter, now_ms);
    size_t available = (size_t)(limiter->level / PERMIT);
    size_t taken = wanted < available ? wanted : available;
    limiter->level -= (int64_t)taken * PERMIT;
    if (taken == 0 && wanted > 0)
        *out_wait_ms =
            (PERMIT - limiter->level + limiter->per_second - 1) / (int64_t)limiter->per_second;
    assert(taken <= wanted && limiter->level >= 0);
    return taken;
}

void rate_limiter_return(struct rate_limiter *limiter, size_t count)
{
    if (limiter->per_second != 0)
        add(limiter, (int64_t)count * PERMIT);
}
