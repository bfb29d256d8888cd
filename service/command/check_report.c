/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"

#include "service/command/check_parts.h"
#include "service/command/printing.h"

enum { REPORT_BYTES = 2048, LINE_BYTES_MAX = 8 * REPORT_BYTES };

enum result { RESULT_OK, RESULT_FAILED, RESULT_NOTE };

static bool is_json; /* for the whole run of the command */

void check_report_begin(bool is_for_programs)
{
    is_json = is_for_programs;
}

static void print_for_program(enum result result, const char *what, const char *words)
{
    static const char *const names[] = {
        [RESULT_OK] = "ok", [RESULT_FAILED] = "failed", [RESULT_NOTE] = "note"};
    struct buffer line;
    buffer_init(&line, LINE_BYTES_MAX);
    if (buffer_append_text(&line, "{\"check\":", NULL) &&
        json_append_string(&line, what, strlen(what), NULL) &&
        buffer_append_format(&line, NULL, ",\"result\":\"%s\",\"message\":", names[result]) &&
        json_append_string(&line, words, strlen(words), NULL))
        print_format(stdout, "%s}", line.bytes);
    buffer_fini(&line);
}

__attribute__((format(printf, 3, 0))) static void
print_report(enum result result, const char *what, const char *format, va_list arguments)
{
    static const char *const names[] = {
        [RESULT_OK] = "ok", [RESULT_FAILED] = "FAIL", [RESULT_NOTE] = "note"};
    char words[REPORT_BYTES];
    (void)vsnprintf(words, sizeof words, format, arguments);
    if (is_json)
        print_for_program(result, what, words);
    else
        print_format(stdout, "%-5s %-13s %s", names[result], what, words);
}

bool check_report(bool is_fine, const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_report(is_fine ? RESULT_OK : RESULT_FAILED, what, format, arguments);
    va_end(arguments);
    return is_fine;
}

void check_note(const char *what, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_report(RESULT_NOTE, what, format, arguments);
    va_end(arguments);
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
    check_note(what,
               "not tried: %s%s%s belongs to user %u, which is right if the service "
               "runs as that user: %s",
               setting, is_there ? "" : " is missing, and ", is_there ? "" : nearest,
               (unsigned)status.st_uid, directory);
    return true;
}
