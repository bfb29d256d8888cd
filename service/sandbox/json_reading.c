/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/json_reading.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scanner.h"

enum { SCALAR_BYTES_MAX = 512, OBJECT_BYTES_MAX = 1 << 20 };

bool json_boolean(const struct json_value *value, bool *out)
{
    if (json_type(value) != JSON_BOOLEAN)
        return false;
    struct buffer text;
    buffer_init(&text, SCALAR_BYTES_MAX);
    bool is_written = json_write(&text, value, NULL);
    if (is_written)
        *out = strcmp(text.bytes, "true") == 0;
    buffer_fini(&text);
    return is_written;
}

bool json_fraction(const struct json_value *value, double *out)
{
    if (json_type(value) != JSON_NUMBER)
        return false;
    struct buffer text;
    buffer_init(&text, SCALAR_BYTES_MAX);
    double number = json_write(&text, value, NULL) ? strtod(text.bytes, NULL) : NAN;
    buffer_fini(&text);
    if (!isfinite(number))
        return false;
    *out = number;
    return true;
}

static bool scan_members(struct json_scanner *scanner,
                         bool (*is_known)(const void *context, const char *name, size_t length),
                         const void *context, char name[MEMBER_NAME_BYTES])
{
    struct json_token token;
    while (json_scanner_next(scanner, &token, NULL) && token.kind != JSON_TOKEN_END) {
        if (token.kind != JSON_TOKEN_NAME || scanner->depth != 1 ||
            is_known(context, token.text, token.length))
            continue;
        (void)snprintf(name, MEMBER_NAME_BYTES, "%.*s",
                       (int)(token.length < MEMBER_NAME_BYTES ? token.length : MEMBER_NAME_BYTES),
                       token.text);
        return true;
    }
    return false;
}

bool json_unknown_member(const struct json_value *object,
                         bool (*is_known)(const void *context, const char *name, size_t length),
                         const void *context, char name[MEMBER_NAME_BYTES])
{
    /* Written out again, a name has no needless escapes: "\u0074oken" reads "token" here too. */
    struct buffer text;
    buffer_init(&text, OBJECT_BYTES_MAX);
    bool is_found = false;
    if (json_write(&text, object, NULL)) {
        struct json_scanner scanner;
        json_scanner_init(&scanner, text.bytes, text.length);
        is_found = scan_members(&scanner, is_known, context, name);
    }
    buffer_fini(&text);
    return is_found;
}
