/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/seek_token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/ascii.h"
#include "lib/base/sha256.h"
#include "lib/base/utf8.h"

/* ASCII white space and control characters, and in UTF-8 U+0080 to U+00A0: the C1 controls and the
 * no-break space that copying from a mail brings along. */
static bool has_blank(const char *token, size_t length)
{
    size_t i = 0;
    while (length - i >= sizeof(uint64_t) && ascii_are_eight_visible(token + i))
        i += sizeof(uint64_t); /* as most seek-tokens are, from their beginning to their end */
    for (; i < length; i++) {
        if (ascii_is_space_or_control(token[i]))
            return true;
        if (token[i] == '\xc2' && i + 1 < length && (unsigned char)token[i + 1] <= 0xa0)
            return true;
    }
    return false;
}

/* A lone '%' may be part of an opaque token; one before two hexadecimal digits is an encoding. */
static bool has_percent_escape(const char *token, size_t length)
{
    const char *end = token + length;
    for (const char *at = token; (at = memchr(at, '%', (size_t)(end - at))) != NULL; at++) {
        if (end - at > 2 && ascii_is_percent_escape(at))
            return true;
    }
    return false;
}

/* What a caller posts who takes the whole link, or its query, for the seek-token. */
static bool is_link(const char *token, size_t length)
{
    static const char *const beginnings[] = {"https://", "http://"};
    static const char parameter[] = "seek-token=";
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t beginning_length = strlen(beginnings[i]);
        if (length >= beginning_length && strncasecmp(token, beginnings[i], beginning_length) == 0)
            return true;
    }
    return memmem(token, length, parameter, strlen(parameter)) != NULL;
}

/* What programs write where a text should be and is not: each candidate who does not come from SEEK
 * would become a dead application. */
static bool is_word_for_nothing(const char *token, size_t length)
{
    static const char *const words[] = {"undefined", "null", "None", "nil"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (length == strlen(words[i]) && memcmp(token, words[i], length) == 0)
            return true;
    }
    return false;
}

static bool refuse(struct rejection *rejection, const char *detail)
{
    return rejection_set(rejection, REJECTED_TOKEN, "token",
                         "Send the seek-token exactly as it came with the candidate's link, 1 to "
                         "4096 bytes.",
                         "%s", detail);
}

bool seek_token_refuse_none(struct rejection *rejection, const char *field, const char *detail)
{
    return rejection_set(rejection, REJECTED_NO_TOKEN, field,
                         "If the link has no seek-token, the candidate did not come from SEEK, and "
                         "there is no signal to send. If it has one, send token or applicationUri.",
                         "%s", detail);
}

bool seek_token_check(const char *token, size_t length, struct rejection *rejection)
{
    if (length == 0)
        return seek_token_refuse_none(rejection, "token", "The seek-token is empty.");
    if (length > SEEK_TOKEN_BYTES_MAX)
        return refuse(rejection, "The seek-token is longer than 4096 bytes.");
    if (!utf8_is_valid(token, length))
        return refuse(rejection, "The seek-token is not UTF-8.");
    if (has_blank(token, length))
        return refuse(rejection, "The seek-token holds white space or a control character.");
    if (is_word_for_nothing(token, length))
        return rejection_set(rejection, REJECTED_TOKEN, "token",
                             "Send the value of the URL parameter seek-token. If the link has "
                             "none, leave token out: the candidate did not come from SEEK.",
                             "The seek-token is a word such as undefined or null, which programs "
                             "write when a value is missing.");
    if (is_link(token, length))
        return rejection_set(
            rejection, REJECTED_TOKEN, "token",
            "Post the whole link as applicationUri, or only the value after seek-token= as token.",
            "The seek-token is a link, or a part of a link that includes seek-token=.");
    if (has_percent_escape(token, length))
        return rejection_set(
            rejection, REJECTED_TOKEN_ENCODED, "token",
            "Post the whole link as applicationUri instead, or decode the query "
            "parameter seek-token exactly once.",
            "The seek-token holds a percent-escape such as %%3D; SEEK refuses such "
            "a signal as \"/input/token: Is not valid\" (additional encoding).");
    return true;
}

void seek_token_fingerprint(const char *token, size_t length,
                            char text[SEEK_TOKEN_FINGERPRINT_BYTES])
{
    unsigned char digest[SHA256_BYTES];
    text[0] = '\0';
    if (!sha256(token, length, digest, NULL))
        return;
    (void)snprintf(text, SEEK_TOKEN_FINGERPRINT_BYTES, "%02x%02x%02x%02x%02x%02x%02x%02x",
                   digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6],
                   digest[7]);
}
