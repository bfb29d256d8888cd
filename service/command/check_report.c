/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

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
