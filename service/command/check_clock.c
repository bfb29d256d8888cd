/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What `check` sees of other clocks. Nothing fails of a difference, so it is only noted.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"

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

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
void check_seek_clock(const char *date)
{
    struct tm moment = {.tm_sec = 0};
    const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &moment);
    if (end == NULL || *end != '\0')
        return;
    int64_t ahead_ms = (int64_t)timegm(&moment) * 1000 - clock_wall_ms();
    if (llabs(ahead_ms) > SEEK_TOLERANCE_MS)
        check_note("clock",
                   "the clock of SEEK is %" PRId64 " s %s the clock of this machine: set this one "
                   "by NTP",
                   (int64_t)(llabs(ahead_ms) / 1000), side(ahead_ms));
}
