/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"

bool http_target_is_valid(const char *target)
{
    for (const char *byte = target; *byte != '\0'; byte++) {
        if (!ascii_is_visible(*byte))
            return false;
    }
    const char *query = strchr(target, '?');
    return query == NULL || strstr(query, "%00") == NULL;
}

const char *http_target_path(const char *target)
{
    static const char scheme[] = "http://";
    if (strncasecmp(target, scheme, sizeof scheme - 1) != 0)
        return target;
    const char *path = strpbrk(target + sizeof scheme - 1, "/?");
    return path != NULL && *path == '/' ? path : "/";
}

/* A blank before the colon is the end of the name for some and a part of it for others (RFC 9112
 * section 5.1). */
bool http_name_is_valid(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    size_t length = 0;
    while (ascii_is_alphanumeric(text[length]) ||
           (text[length] != '\0' && strchr(others, text[length]) != NULL))
        length++;
    return length > 0 && text[length] == '\0';
}

void http_head_note(struct http_head *head, const char *name, const char *value)
{
    if (!http_name_is_valid(name))
        head->is_malformed = true;
    if (strcasecmp(name, "Host") == 0) {
        head->hosts++;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        head->lengths++;
        head->length = value;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        head->encodings++;
        head->encoding = value;
    } else if (strcasecmp(name, "Connection") == 0) {
        head->is_last = head->is_last || (value != NULL && strcasestr(value, "close") != NULL);
    }
}

/* Whoever stands between us and the client may read an ambiguous head differently, and then
 * somebody's body becomes somebody else's request (RFC 9112 section 11.2). */
bool http_head_is_sound(const struct http_head *head, const char *version)
{
    if (head->is_malformed)
        return false;
    if (head->hosts > 1 || (head->hosts == 0 && strcmp(version, "HTTP/1.0") != 0))
        return false;
    if (head->lengths + head->encodings > 1)
        return false;
    return head->encodings == 0 ||
           (head->encoding != NULL && strcasecmp(head->encoding, "chunked") == 0);
}

uint64_t http_head_body_length(const struct http_head *head)
{
    /* libmicrohttpd has refused what is not a number; too large a one saturates. */
    return head->length != NULL ? strtoull(head->length, NULL, 10) : 0;
}

bool http_head_has_body(const struct http_head *head)
{
    return head->encodings > 0 || http_head_body_length(head) > 0;
}
