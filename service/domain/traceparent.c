/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/domain/event.h"

/* W3C Trace Context section 3.2.2: version "-" trace-id "-" parent-id "-" trace-flags, in
 * lower-case hexadecimal digits. An id of zeros alone is invalid. */
bool traceparent_is_valid(const char *text)
{
    static const char form[] = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    static const struct {
        size_t at, length;
    } ids[] = {{3, 32}, {36, 16}};

    if (strlen(text) != TRACEPARENT_BYTES)
        return false;
    for (size_t i = 0; i < TRACEPARENT_BYTES; i++) {
        if (form[i] == 'h' ? strchr("0123456789abcdef", text[i]) == NULL : text[i] != form[i])
            return false;
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (strspn(text + ids[i].at, "0") >= ids[i].length)
            return false;
    }
    return true;
}
