/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/rfc3339.h"

static const struct unit {
    int64_t ms;
    const char *name, *names;
} units[] = {
    {86400000, "day", "days"}, {3600000, "h", "h"}, {60000, "min", "min"}, {1000, "s", "s"}};

enum { UNIT_COUNT = sizeof units / sizeof units[0] };

void figure_duration(int64_t ms, char out[FIGURE_BYTES])
{
    size_t i = 0;
    if (ms < 0)
        ms = ms > INT64_MIN ? -ms : INT64_MAX;
    while (i < UNIT_COUNT && ms < units[i].ms)
        i++;
    if (i == UNIT_COUNT) {
        (void)snprintf(out, FIGURE_BYTES, ms == 0 ? "0 s" : "%" PRId64 " ms", ms);
        return;
    }
    int64_t count = ms / units[i].ms;
    int length = snprintf(out, FIGURE_BYTES, "%" PRId64 " %s", count,
                          count == 1 ? units[i].name : units[i].names);
    int64_t rest = i + 1 < UNIT_COUNT ? ms % units[i].ms / units[i + 1].ms : 0;
    if (rest > 0)
        (void)snprintf(out + length, FIGURE_BYTES - (size_t)length, " %" PRId64 " %s", rest,
                       rest == 1 ? units[i + 1].name : units[i + 1].names);
}

void figure_moment(const char *text, int64_t now_ms, char out[FIGURE_BYTES])
{
    int64_t ms;
    char age[FIGURE_BYTES], utc[RFC3339_BYTES];
    if (!rfc3339_parse(text, strlen(text), &ms)) {
        (void)snprintf(out, FIGURE_BYTES, "%s", text);
        return;
    }
    rfc3339_format(ms, utc); /* 2026-01-02T03:04:05.678Z */
    figure_duration(now_ms - ms, age);
    (void)snprintf(out, FIGURE_BYTES, "%s%.40s%s, %.10s %.8s UTC", ms > now_ms ? "in " : "", age,
                   ms > now_ms ? "" : " ago", utc, utc + sizeof "2026-01-02");
}

void figure_size(int64_t bytes, char out[FIGURE_BYTES])
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB"};
    double size = (double)bytes / 1024;
    size_t i = 0;
    if (bytes < 1024) {
        (void)snprintf(out, FIGURE_BYTES, "%" PRId64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return;
    }
    for (; size >= 1024 && i + 1 < sizeof names / sizeof names[0]; i++)
        size /= 1024;
    (void)snprintf(out, FIGURE_BYTES, size < 10 ? "%.1f %s" : "%.0f %s", size, names[i]);
}
