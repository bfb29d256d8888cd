/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/in_flight_limit.h"

#include <assert.h>

enum { HALVING_INTERVAL_MS = 1000 };

void in_flight_limit_init(struct in_flight_limit *limit, unsigned max)
{
    assert(max > 0);
    *limit = (struct in_flight_limit){.max = max, .current = max};
}

void in_flight_limit_succeed(struct in_flight_limit *limit)
{
    if (limit->current == limit->max || ++limit->successes < limit->current)
        return;
    limit->successes = 0;
    limit->current++;
    assert(limit->current <= limit->max);
}

void in_flight_limit_strain(struct in_flight_limit *limit, int64_t now_ms)
{
    limit->successes = 0;
    if (limit->was_halved && now_ms - limit->halved_at_ms < HALVING_INTERVAL_MS)
        return;
    limit->was_halved = true;
    limit->halved_at_ms = now_ms;
    if (limit->current > 1)
        limit->current /= 2;
    assert(limit->current >= 1);
}
