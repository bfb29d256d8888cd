/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "lib/base/http_date.h"

#include "service/domain/upstream_reply.h"

/* Longer than a day is a mistake or a joke: events die by age, not by one header. */
static const int64_t DELAY_MS_MAX = INT64_C(24) * 60 * 60 * 1000;

static bool parse_seconds(const char *text, int64_t *out_ms)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0')
        return false;
    int64_t ms = 0;
    for (size_t i = 0; i < digits && ms < DELAY_MS_MAX; i++)
        ms = ms * 10 + (int64_t)(text[i] - '0') * 1000;
    *out_ms = ms;
    return true;
}

int64_t retry_after_parse_ms(const char *value, int64_t wall_ms)
{
    int64_t delay_ms;
    int64_t until_ms;
    if (parse_seconds(value, &delay_ms))
        return delay_ms < DELAY_MS_MAX ? delay_ms : DELAY_MS_MAX;
    if (!http_date_parse(value, &until_ms))
        return -1;
    if (until_ms <= wall_ms)
        return 0;
    return until_ms - wall_ms < DELAY_MS_MAX ? until_ms - wall_ms : DELAY_MS_MAX;
}
