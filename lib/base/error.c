/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* Better a cut sentence than none; the reader sees that it is one, and no half character. */
static void mark_as_cut(char message[ERROR_MESSAGE_BYTES])
{
    size_t end = ERROR_MESSAGE_BYTES - sizeof ELLIPSIS;
    while (end > 0 && ((unsigned char)message[end] & 0xC0) == 0x80)
        end--;
    memcpy(message + end, ELLIPSIS, sizeof ELLIPSIS);
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    if (error == NULL)
        return false;
    error->kind = kind;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (length >= ERROR_MESSAGE_BYTES)
        mark_as_cut(error->message);
    return false;
}

bool error_wrap(struct error *error, const char *format, ...)
{
    if (error == NULL)
        return false;
    char context[ERROR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);

    char joined[sizeof context + sizeof ": " + sizeof error->message];
    int length = snprintf(joined, sizeof joined, "%s: %s", context, error->message);
    memcpy(error->message, joined, ERROR_MESSAGE_BYTES);
    if (length >= ERROR_MESSAGE_BYTES)
        mark_as_cut(error->message);
    return false;
}

bool error_out_of_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory");
}
