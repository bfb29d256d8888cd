/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The seek-token inside a link-out URL: scheme "://" authority path ["?" query] ["#" fragment],
 * where the query is read as name=value pairs between '&' (RFC 3986 section 3, and what SEEK
 * appends to a link). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "service/domain/seek_token.h"

struct span {
    const char *at, *end; /* `at` is NULL when nothing is left, not even an empty part */
};

enum { DECODED_END = -1, DECODED_BROKEN = -2 };

static int hex_value(char digit)
{
    if (!isxdigit((unsigned char)digit))
        return -1;
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

/* The next byte, a percent-escape decoded; moves on. */
static int next_decoded(struct span *text)
{
    if (text->at == text->end)
        return DECODED_END;
    if (*text->at != '%')
        return (unsigned char)*text->at++;
    int high = text->end - text->at > 2 ? hex_value(text->at[1]) : -1;
    int low = high >= 0 ? hex_value(text->at[2]) : -1;
    if (low < 0)
        return DECODED_BROKEN;
    text->at += 3;
    return high << 4 | low;
}

static bool decodes_to(struct span text, const char *expected, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (next_decoded(&text) != (unsigned char)expected[i])
            return false;
    }
    return next_decoded(&text) == DECODED_END;
}

/* Splits off what stands before `separator`, or all. */
static bool next_part(struct span *rest, char separator, struct span *part)
{
    if (rest->at == NULL)
        return false;
    const char *found = memchr(rest->at, separator, (size_t)(rest->end - rest->at));
    *part = (struct span){rest->at, found != NULL ? found : rest->end};
    rest->at = found != NULL ? found + 1 : NULL;
    return true;
}

static bool refuse(struct rejection *rejection, const char *detail)
{
    return rejection_set(rejection, REJECTED_APPLICATION_URI, "applicationUri",
                         "Post the whole link that the candidate followed from SEEK, as "
                         "https://host/path?seek-token=…, or send the seek-token as token.",
                         "%s", detail);
}

static struct span after_scheme(const char *uri, size_t length)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t scheme_length = strlen(schemes[i]);
        if (length >= scheme_length && strncasecmp(uri, schemes[i], scheme_length) == 0)
            return (struct span){uri + scheme_length, uri + length};
    }
    return (struct span){NULL, NULL};
}

static bool has_host(struct span authority)
{
    struct span host = authority;
    while (next_part(&authority, '@', &host)) {
    }
    return host.at < host.end && *host.at != ':';
}

/* False when it is not an absolute http or https URL. `query` may come out with nothing in it. */
static bool find_query(const char *uri, size_t length, struct span *query)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)uri[i] <= 0x20 || uri[i] == 0x7f)
            return false;
    }
    struct span rest = after_scheme(uri, length);
    struct span before_query, authority;
    if (!next_part(&rest, '#', query))
        return false;
    (void)next_part(query, '?', &before_query);
    (void)next_part(&before_query, '/', &authority);
    return has_host(authority);
}

struct decoded {
    char bytes[SEEK_TOKEN_BYTES_MAX];
    size_t length;
};

static bool decode(struct span value, struct decoded *out, struct rejection *rejection)
{
    int byte;
    while ((byte = next_decoded(&value)) >= 0) {
        if (out->length == sizeof out->bytes)
            return refuse(rejection, "Its seek-token is longer than 4096 bytes.");
        out->bytes[out->length++] = (char)byte;
    }
    if (byte == DECODED_BROKEN)
        return refuse(rejection, "Its seek-token holds a broken percent-escape.");
    return out->length > 0 || refuse(rejection, "Its seek-token is empty.");
}

static bool find_token(struct span query, struct decoded *out, struct rejection *rejection)
{
    static const char parameter_name[] = "seek-token";
    struct span parameter, name;
    while (next_part(&query, '&', &parameter)) {
        (void)next_part(&parameter, '=', &name);
        if (!decodes_to(name, parameter_name, sizeof parameter_name - 1))
            continue;
        struct span value = parameter.at != NULL ? parameter : (struct span){name.end, name.end};
        if (out->length == 0) {
            if (!decode(value, out, rejection))
                return false;
        } else if (!decodes_to(value, out->bytes, out->length)) {
            return refuse(rejection, "It has two different seek-tokens.");
        }
    }
    return out->length > 0 || refuse(rejection, "It has no query parameter seek-token.");
}

bool seek_token_from_uri(const char *uri, size_t length, struct buffer *out,
                         struct rejection *rejection)
{
    struct span query;
    struct decoded token;
    token.length = 0;
    if (!find_query(uri, length, &query))
        return refuse(rejection, "It is not an absolute http or https URL.");
    if (!find_token(query, &token, rejection))
        return false;
    if (!seek_token_check(token.bytes, token.length, rejection)) {
        if (rejection->code == REJECTED_TOKEN_ENCODED)
            (void)snprintf(rejection->remedy, sizeof rejection->remedy,
                           "The link was encoded twice on its way: post it as the candidate's "
                           "browser opened it.");
        (void)snprintf(rejection->field, sizeof rejection->field, "applicationUri");
        return false;
    }
    return buffer_append(out, token.bytes, token.length, NULL) ||
           rejection_out_of_memory(rejection);
}
