/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/header_list.h"

#include <string.h>
#include <strings.h>

void header_list_init(struct header_list *headers, size_t bytes_max)
{
    buffer_init(&headers->texts, bytes_max);
}

void header_list_fini(struct header_list *headers)
{
    buffer_fini(&headers->texts);
}

bool header_list_add(struct header_list *headers, const void *name, size_t name_length,
                     const void *value, size_t value_length)
{
    size_t before = headers->texts.length;
    bool is_added = buffer_append(&headers->texts, name, name_length, NULL) &&
                    buffer_append(&headers->texts, "", 1, NULL) &&
                    buffer_append(&headers->texts, value, value_length, NULL) &&
                    buffer_append(&headers->texts, "", 1, NULL);
    if (!is_added)
        buffer_truncate(&headers->texts, before);
    return is_added;
}

const char *header_list_find(const struct header_list *headers, const char *name)
{
    const char *at = headers->texts.bytes;
    const char *end = at + headers->texts.length;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}
