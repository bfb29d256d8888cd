/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/moment.h"

#include <stddef.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/rfc3339.h"

#define AGO_MS_MAX (INT64_C(100) * 366 * 86400000)

static const struct {
    char name;
    int64_t ms;
} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}, {'w', 604800000}};

static int64_t unit_ms(char name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].name == name)
            return units[i].ms;
    }
    return 0;
}

/* One number with its unit. NULL: it is none, or too long ago. */
static const char *read_part(const char *text, int64_t *sum_ms)
{
    int64_t number = 0;
    const char *rest = text;
    for (; ascii_is_digit(*rest) && number < AGO_MS_MAX / 1000; rest++)
        number = number * 10 + (*rest - '0');
    int64_t unit = unit_ms(*rest);
    if (rest == text || unit == 0 || number > (AGO_MS_MAX - *sum_ms) / unit)
        return NULL;
    *sum_ms += number * unit;
    return rest + 1;
}

static bool read_ago(const char *text, int64_t *out_ms)
{
    *out_ms = 0;
    do
        text = read_part(text, out_ms);
    while (text != NULL && *text != '\0');
    return text != NULL;
}

bool moment_parse(const char *text, int64_t now_ms, int64_t *out_ms)
{
    int64_t ms;
    if (!rfc3339_parse(text, strlen(text), &ms)) {
        if (!read_ago(text, &ms))
            return false;
        ms = now_ms - ms;
    }
    *out_ms = ms > 0 ? ms : 1;
    return true;
}
