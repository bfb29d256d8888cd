/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/command/check_parts.h"
#include "service/command/printing.h"

enum { REPORT_BYTES = 2048 };

bool check_report(bool is_fine, const char *what, const char *format, ...)
{
    char words[REPORT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    print_format(stdout, "%-5s %-13s %s", is_fine ? "ok" : "FAIL", what, words);
    return is_fine;
}

bool check_is_of_another(const char *directory, const char *what, const char *setting)
{
    struct stat status;
    if (geteuid() != 0 || stat(directory, &status) != 0 || status.st_uid == 0)
        return false;
    print_format(stdout,
                 "note  %-13s not tried: %s belongs to user %u, which is right if the service runs "
                 "as that user: %s",
                 what, setting, (unsigned)status.st_uid, directory);
    return true;
}
