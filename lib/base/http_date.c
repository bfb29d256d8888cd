/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/http_date.h"

#include <stddef.h>
#include <time.h>

/* The C locale's names are HTTP's, and this program never sets another one. */
bool http_date_parse(const char *text, int64_t *out_ms)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
        "%A, %d-%b-%y %H:%M:%S GMT", /* obsolete: RFC 850 */
        "%a %b %e %H:%M:%S %Y",      /* obsolete: asctime */
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm parts = {0};
        const char *end = strptime(text, forms[i], &parts);
        if (end == NULL || *end != '\0')
            continue;
        int day = parts.tm_mday;
        time_t seconds = timegm(&parts);
        *out_ms = (int64_t)seconds * 1000;
        return parts.tm_mday == day; /* timegm would make March of 31 February */
    }
    return false;
}
