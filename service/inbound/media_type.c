/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/media_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char white_space[] = " \t";

/* JSON is UTF-8 whatever the parameter says (RFC 8259 section 8.1), but somebody who says
 * otherwise sends something else. */
static bool parameter_is_fine(const char *parameter, size_t length)
{
    static const char name[] = "charset=";
    static const char *const accepted[] = {"utf-8", "\"utf-8\""};
    size_t name_length = sizeof name - 1;
    if (length < name_length || strncasecmp(parameter, name, name_length) != 0)
        return true;
    while (length > 0 && strchr(white_space, parameter[length - 1]) != NULL)
        length--;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (length - name_length == strlen(accepted[i]) &&
            strncasecmp(parameter + name_length, accepted[i], length - name_length) == 0)
            return true;
    return false;
}

bool media_type_is(const char *header, const char *type)
{
    size_t length = strlen(type);
    if (header == NULL)
        return false;
    header += strspn(header, white_space);
    if (strncasecmp(header, type, length) != 0)
        return false;
    const char *rest = header + length + strspn(header + length, white_space);
    while (*rest == ';') {
        rest++;
        rest += strspn(rest, white_space);
        size_t parameter_length = strcspn(rest, ";");
        if (!parameter_is_fine(rest, parameter_length))
            return false;
        rest += parameter_length;
    }
    return *rest == '\0';
}
