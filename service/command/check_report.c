/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
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

void check_note(const char *what, const char *format, ...)
{
    char words[REPORT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    print_format(stdout, "%-5s %-13s %s", "note", what, words);
}

/* The directory, or the nearest one that is there of those that it is to lie in. */
static bool find_nearest(char path[PATH_MAX], struct stat *out)
{
    while (stat(path, out) != 0) {
        char *slash = strrchr(path, '/');
        if (errno != ENOENT)
            return false;
        if (slash == NULL) {
            memcpy(path, ".", sizeof ".");
            return stat(path, out) == 0;
        }
        slash[slash == path] = '\0'; /* "/" stays */
    }
    return true;
}

bool check_is_of_another(const char *directory, const char *what, const char *setting)
{
    struct stat status;
    char nearest[PATH_MAX];
    if (geteuid() != 0 ||
        (size_t)snprintf(nearest, sizeof nearest, "%s", directory) >= sizeof nearest ||
        !find_nearest(nearest, &status) || status.st_uid == 0)
        return false;
    bool is_there = strcmp(nearest, directory) == 0;
    print_format(stdout,
                 "note  %-13s not tried: %s%s%s belongs to user %u, which is right if the service "
                 "runs as that user: %s",
                 what, setting, is_there ? "" : " is missing, and ", is_there ? "" : nearest,
                 (unsigned)status.st_uid, directory);
    return true;
}
