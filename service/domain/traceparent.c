/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/domain/event.h"

/* W3C Trace Context section 3.2: version "-" trace-id "-" parent-id "-" trace-flags, in lower-case
 * hexadecimal digits. An id of zeros alone is invalid, and so is version ff. What later versions
 * add stands behind a further "-"; what is known of them is used as version 00, and of their flags
 * the one that says "sampled". */
bool traceparent_read(const char *text, char out[TRACEPARENT_BYTES + 1])
{
    static const char form[] = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    static const struct {
        size_t at, length;
    } ids[] = {{3, 32}, {36, 16}};

    for (size_t i = 0; i < TRACEPARENT_BYTES; i++) {
        if (form[i] == 'h' ? text[i] == '\0' || strchr("0123456789abcdef", text[i]) == NULL
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
    out[TRACEPARENT_BYTES] = '\0';
    if (!is_first_version) {
        bool is_sampled = strchr("13579bdf", text[TRACEPARENT_BYTES - 1]) != NULL;
        memcpy(out, "00", 2);
        memcpy(out + TRACEPARENT_BYTES - 2, is_sampled ? "01" : "00", 2);
    }
    return true;
}
