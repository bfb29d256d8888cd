/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/incoming.h"

#include <string.h>
#include <strings.h>

bool incoming_is_json(const struct incoming *incoming)
{
    static const char json[] = "application/json";
    const size_t length = sizeof json - 1;
    const char *type = incoming->content_type;
    return type != NULL && strncasecmp(type, json, length) == 0 &&
           strchr("; \t", type[length]) != NULL; /* strchr finds the terminator too */
}
