/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/seek_token.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/base/utf8.h"

#include "service/domain/sha256.h"

/* ASCII white space and control characters, and in UTF-8 U+0080 to U+00A0: the C1 controls and the
 * no-break space that copying from a mail brings along. */
static bool has_blank(const char *token, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)token[i];
        if (byte <= 0x20 || byte == 0x7f)
            return true;
        if (byte == 0xc2 && i + 1 < length && (unsigned char)token[i + 1] <= 0xa0)
            return true;
    }
    return false;
}

/* A lone '%' may be part of an opaque token; one before two hexadecimal digits is an encoding. */
static bool has_percent_escape(const char *token, size_t length)
{
    for (size_t i = 0; i + 2 < length; i++) {
        if (token[i] == '%' && isxdigit((unsigned char)token[i + 1]) &&
            isxdigit((unsigned char)token[i + 2]))
            return true;
    }
    return false;
}

static bool refuse(struct rejection *rejection, const char *detail)
{
    return rejection_set(rejection, REJECTED_TOKEN, "token",
                         "Send the seek-token exactly as it came with the candidate's link, 1 to "
                         "4096 bytes. Without one there is no signal to send.",
                         "%s", detail);
}

bool seek_token_check(const char *token, size_t length, struct rejection *rejection)
{
    if (length == 0)
        return refuse(rejection, "The seek-token is empty.");
    if (length > SEEK_TOKEN_BYTES_MAX)
        return refuse(rejection, "The seek-token is longer than 4096 bytes.");
    if (!utf8_is_valid(token, length))
        return refuse(rejection, "The seek-token is not UTF-8.");
    if (has_blank(token, length))
        return refuse(rejection, "The seek-token holds white space or a control character.");
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
    sha256(token, length, digest);
    (void)snprintf(text, SEEK_TOKEN_FINGERPRINT_BYTES, "%02x%02x%02x%02x%02x%02x%02x%02x",
                   digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6],
                   digest[7]);
}
