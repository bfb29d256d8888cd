/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/wait.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "lib/base/ascii.h"

static const struct {
    const char *suffix;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}};

bool wait_parse(const char *text, int64_t *out_ms)
{
    int64_t number = 0;
    const char *rest = text;
    for (; ascii_is_digit(*rest); rest++) {
        number = number * 10 + (*rest - '0');
        if (number > WAIT_MAX_MS)
            return false;
    }
    if (rest == text)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(rest, units[i].suffix) != 0)
            continue;
        if (number * units[i].ms > WAIT_MAX_MS)
            return false;
        *out_ms = number * units[i].ms;
        assert(*out_ms >= 0 && *out_ms <= WAIT_MAX_MS);
        return true;
    }
    return false;
}

int64_t wait_pause_ms(unsigned look)
{
    static const int64_t pauses_ms[] = {20, 40, 80, 160, 250};
    enum { LAST = sizeof pauses_ms / sizeof pauses_ms[0] - 1 };
    return pauses_ms[look < LAST ? look : LAST];
}
