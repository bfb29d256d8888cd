/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/backoff.h"

#include <assert.h>

#include "lib/base/random.h"

enum { DOUBLINGS_MAX = 32 };

int64_t backoff_ms(unsigned min_ms, unsigned max_ms, unsigned failures)
{
    assert(min_ms > 0);
    uint64_t most = (uint64_t)min_ms << (failures < DOUBLINGS_MAX ? failures : DOUBLINGS_MAX);
    if (most > max_ms)
        most = max_ms;
    uint64_t pause_ms = most > min_ms ? min_ms + random_u64() % (most - min_ms + 1) : min_ms;
    assert(pause_ms >= min_ms && (pause_ms <= max_ms || max_ms < min_ms));
    return (int64_t)pause_ms;
}
