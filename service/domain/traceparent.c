/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/domain/event.h"

/* W3C Trace Context section 3.2: version "-" trace-id "-" parent-id "-" trace-flags, in lower-case
 * hexadecimal digits. An id of zeros alone is invalid, and so is version ff. What later versions
 * add stands behind a further "-"; what is known of them is used as version 00. Of the flags only
 * "sampled" and (level 2) "random trace id" are passed on: who does not know a flag must clear it.
 */
bool traceparent_read(const char *text, char out[TRACEPARENT_BYTES + 1])
{
    static const char form[] = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    static const char digits[] = "0123456789abcdef";
    static const struct {
        size_t at, length;
    } ids[] = {{3, 32}, {36, 16}};

    for (size_t i = 0; i < TRACEPARENT_BYTES; i++) {
        if (form[i] == 'h' ? text[i] == '\0' || strchr(digits, text[i]) == NULL
                           : text[i] != form[i])
            return false;
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (strspn(text + ids[i].at, "0") >= ids[i].length)
            return false;
    }
    bool is_first_version = memcmp(text, "00", 2) == 0;
    char behind = text[TRACEPARENT_BYTES];
    if (memcmp(text, "ff", 2) == 0 || (behind != '\0' && (is_first_version || behind != '-')))
        return false;
    memcpy(out, text, TRACEPARENT_BYTES);
    memcpy(out, "00", 2);
    long flags = strchr(digits, text[TRACEPARENT_BYTES - 1]) - digits;
    out[TRACEPARENT_BYTES - 2] = '0';
    out[TRACEPARENT_BYTES - 1] = digits[flags & 3];
    out[TRACEPARENT_BYTES] = '\0';
    return true;
}
