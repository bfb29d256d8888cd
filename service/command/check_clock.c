/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What `check` sees of other clocks. Nothing fails of a difference, so it is only noted.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/http_date.h"

#include "service/command/check_parts.h"

/* Of Redis as redis_clock_off has it. An answer of SEEK may be on its way for some seconds. */
enum { REDIS_TOLERANCE_MS = 5000, SEEK_TOLERANCE_MS = 15000 };

static const char *side(int64_t ahead_ms)
{
    return ahead_ms > 0 ? "ahead of" : "behind";
}

void check_redis_clock(int64_t ahead_ms)
{
    if (llabs(ahead_ms) > REDIS_TOLERANCE_MS)
        check_note("clock",
                   "the clock of Redis is %" PRId64 " s %s the clock of this machine: set both by "
                   "NTP",
                   (int64_t)(llabs(ahead_ms) / 1000), side(ahead_ms));
}

void check_seek_clock(const char *date)
{
    int64_t wall_ms;
    if (!http_date_parse(date, &wall_ms))
        return;
    int64_t ahead_ms = wall_ms - clock_wall_ms();
    if (llabs(ahead_ms) > SEEK_TOLERANCE_MS)
        check_note("clock",
                   "the clock of SEEK is %" PRId64 " s %s the clock of this machine: set this one "
                   "by NTP",
                   (int64_t)(llabs(ahead_ms) / 1000), side(ahead_ms));
}
