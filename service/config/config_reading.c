/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/config/config_reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/terminal.h"

void config_note(struct buffer *list, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)!(terminal_append(list, line, strlen(line), NULL) &&
            buffer_append_text(list, "\n", NULL));
}

bool config_is_no_file(const char *path)
{
    struct stat status;
    return path != NULL && stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}
