/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
{
    if (error == NULL)
        return false;
    error->kind = kind;
    va_list arguments;
    va_start(arguments, format);
    /* A message too long for the buffer is cut: better a cut sentence than none. */
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
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
    (void)snprintf(joined, sizeof joined, "%s: %s", context, error->message);
    joined[ERROR_MESSAGE_BYTES - 1] = '\0';
    memcpy(error->message, joined, ERROR_MESSAGE_BYTES);
    return false;
}

bool error_out_of_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory");
}
