/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/rejection.h"

#include <stdarg.h>
#include <stdio.h>

bool rejection_set(struct rejection *rejection, enum rejection_code code, const char *field,
                   const char *remedy, const char *detail, ...)
{
    rejection->code = code;
    (void)snprintf(rejection->field, sizeof rejection->field, "%s", field);
    (void)snprintf(rejection->remedy, sizeof rejection->remedy, "%s", remedy);
    va_list arguments;
    va_start(arguments, detail);
    (void)vsnprintf(rejection->detail, sizeof rejection->detail, detail, arguments);
    va_end(arguments);
    return false;
}

bool rejection_out_of_memory(struct rejection *rejection)
{
    return rejection_set(rejection, REJECTED_OUT_OF_MEMORY, "",
                         "Send the event again a little later.",
                         "There is no memory to take the event.");
}
