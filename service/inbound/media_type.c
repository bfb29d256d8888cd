/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/media_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char white_space[] = " \t";

/* JSON is UTF-8, and a charset has no effect on it (RFC 8259 section 11); but somebody who says
 * otherwise sends something else. ASCII is a part of UTF-8. */
static bool parameter_is_fine(const char *parameter, size_t length)
{
    static const char name[] = "charset=";
    static const char *const accepted[] = {"utf-8", "utf8", "us-ascii", "ascii"};
    size_t name_length = sizeof name - 1;
    if (length < name_length || strncasecmp(parameter, name, name_length) != 0)
        return true;
    while (length > 0 && strchr(white_space, parameter[length - 1]) != NULL)
        length--;
    const char *value = parameter + name_length;
    size_t value_length = length > name_length ? length - name_length : 0;
    if (value_length >= 2 && value[0] == '"' && value[value_length - 1] == '"') {
        value++;
        value_length -= 2;
    }
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (value_length == strlen(accepted[i]) &&
            strncasecmp(value, accepted[i], value_length) == 0)
            return true;
    return false;
}

/* `rest` follows the type: nothing, or parameters. */
static bool parameters_are_fine(const char *rest)
{
    rest += strspn(rest, white_space);
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

bool media_type_is(const char *header, const char *type)
{
    size_t length = strlen(type);
    if (header == NULL)
        return false;
    header += strspn(header, white_space);
    return strncasecmp(header, type, length) == 0 && parameters_are_fine(header + length);
}

bool media_type_is_json(const char *header)
{
    static const char suffix[] = "+json";
    const size_t suffix_length = sizeof suffix - 1;
    if (header == NULL)
        return false;
    header += strspn(header, white_space);
    size_t length = strcspn(header, "; \t,");
    return length > suffix_length && memchr(header, '/', length) != NULL &&
           strncasecmp(header + length - suffix_length, suffix, suffix_length) == 0 &&
           parameters_are_fine(header + length);
}

bool media_type_has_other_charset(const char *header)
{
    const char *rest = header + strcspn(header, ";");
    return *rest == ';' && !parameters_are_fine(rest);
}
