/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What assert does when it fails, instead of glibc's own way: that one writes to standard error for
 * as long as it takes, so that a log that nobody reads would keep a thread standing where the
 * process must end.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log_sink.h"

enum { PATIENCE_MS = 1000, TEXT_BYTES = 1024 /* a pipe with room takes that in one piece */ };

void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
    char text[TEXT_BYTES];
    int length = snprintf(text, sizeof text, "%s:%u: %s: Assertion `%s' failed.\n", file, line,
                          function, assertion);
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (log_sink_flush(PATIENCE_MS) && poll(&room, 1, PATIENCE_MS) == 1)
        (void)!write(STDERR_FILENO, text,
                     (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
    abort();
}
