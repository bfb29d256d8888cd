/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The seek-token inside a link-out URL: scheme "://" authority path ["?" query] ["#" fragment],
 * where the query is read as name=value pairs between '&' (RFC 3986 section 3, and what SEEK
 * appends to a link). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"

#include "service/domain/seek_token.h"

struct uri_part {
    const char *at, *end; /* `at` is NULL when nothing is left, not even an empty part */
};

enum { DECODED_END = -1, DECODED_BROKEN = -2 };

/* The next byte, a percent-escape decoded; moves on. */
static int next_decoded(struct uri_part *text)
{
    if (text->at == text->end)
        return DECODED_END;
    if (*text->at != '%')
        return (unsigned char)*text->at++;
    int high = text->end - text->at > 2 ? ascii_hex_value(text->at[1]) : -1;
    int low = high >= 0 ? ascii_hex_value(text->at[2]) : -1;
    if (low < 0)
        return DECODED_BROKEN;
    text->at += 3;
    return high << 4 | low;
}

static bool decodes_to(struct uri_part text, const char *expected, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (next_decoded(&text) != (unsigned char)expected[i])
            return false;
    }
    return next_decoded(&text) == DECODED_END;
}

/* Splits off what stands before `separator`, or all. */
static bool next_part(struct uri_part *rest, char separator, struct uri_part *part)
{
    if (rest->at == NULL)
        return false;
    const char *found = memchr(rest->at, separator, (size_t)(rest->end - rest->at));
    *part = (struct uri_part){rest->at, found != NULL ? found : rest->end};
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

static struct uri_part after_scheme(const char *uri, size_t length)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t scheme_length = strlen(schemes[i]);
        if (length >= scheme_length && strncasecmp(uri, schemes[i], scheme_length) == 0)
            return (struct uri_part){uri + scheme_length, uri + length};
    }
    return (struct uri_part){NULL, NULL};
}

static bool has_host(struct uri_part authority)
{
    struct uri_part host = authority;
    while (next_part(&authority, '@', &host)) {
    }
    return host.at < host.end && *host.at != ':';
}

/* False when it is not an absolute http or https URL. `query` may come out with nothing in it. */
static bool find_query(const char *uri, size_t length, struct uri_part *query)
{
    struct uri_part rest = after_scheme(uri, length);
    struct uri_part before_query, authority;
    if (!next_part(&rest, '#', query))
        return false;
    (void)next_part(query, '?', &before_query);
    (void)next_part(&before_query, '/', &authority);
    return has_host(authority);
}

static bool has_blank(const char *uri, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (ascii_is_space_or_control(uri[i]))
            return true;
    return false;
}

struct decoded {
    char bytes[SEEK_TOKEN_BYTES_MAX];
    size_t length;
};

static bool decode(struct uri_part value, struct decoded *out, struct rejection *rejection)
{
    int byte;
    while ((byte = next_decoded(&value)) >= 0) {
        if (out->length == sizeof out->bytes)
            return refuse(rejection, "Its seek-token is longer than 4096 bytes.");
        out->bytes[out->length++] = (char)byte;
    }
    if (byte == DECODED_BROKEN)
        return refuse(rejection, "Its seek-token holds a broken percent-escape.");
    return true;
}

static bool find_token(struct uri_part query, struct decoded *out, struct rejection *rejection)
{
    static const char parameter_name[] = "seek-token";
    struct uri_part parameter, name;
    while (next_part(&query, '&', &parameter)) {
        (void)next_part(&parameter, '=', &name);
        if (!decodes_to(name, parameter_name, sizeof parameter_name - 1))
            continue;
        struct uri_part value =
            parameter.at != NULL ? parameter : (struct uri_part){name.end, name.end};
        if (value.at == value.end)
            continue;
        if (out->length == 0) {
            if (!decode(value, out, rejection))
                return false;
        } else if (!decodes_to(value, out->bytes, out->length)) {
            return refuse(rejection, "It has two different seek-tokens.");
        }
    }
    return true;
}

/* A link that names a seek-token in another place has lost one on its way: in the fragment, as an
 * application in the browser shows it, in other letters, or encoded twice. */
static bool names_token(const char *uri, size_t length)
{
    static const char *const names[] = {"seek-token=", "seek%2Dtoken=", "seek%252Dtoken="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t name_length = strlen(names[i]);
        for (size_t at = 0; at + name_length < length; at++)
            if (strncasecmp(uri + at, names[i], name_length) == 0 && uri[at + name_length] != '&')
                return true;
    }
    return false;
}

static bool refuse_missing(const char *uri, size_t length, struct rejection *rejection)
{
    return names_token(uri, length)
               ? refuse(rejection, "Its seek-token is not a parameter of its query.")
               : seek_token_refuse_none(rejection, "applicationUri",
                                        "Its query has no seek-token, or an empty one.");
}

bool seek_token_from_uri(const char *uri, size_t length, struct buffer *out,
                         struct rejection *rejection)
{
    struct uri_part query;
    struct decoded token;
    token.length = 0;
    if (has_blank(uri, length))
        return rejection_set(
            rejection, REJECTED_APPLICATION_URI, "applicationUri",
            "Post the link as the candidate followed it, without blanks around it. "
            "Those in it are percent-encoded (%20).",
            "It holds white space or a control character.");
    if (!find_query(uri, length, &query))
        return refuse(rejection, "It is not an absolute http or https URL.");
    if (!find_token(query, &token, rejection))
        return false;
    if (token.length == 0)
        return refuse_missing(uri, length, rejection);
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
