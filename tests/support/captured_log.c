/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/captured_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/specification.h"

struct captured_log {
    int fd;        /* owned */
    int stderr_fd; /* owned; the one of before */
};

struct captured_log *captured_log_start(void)
{
    char path[] = "/tmp/seek-log-XXXXXX";
    struct captured_log *log = calloc(1, sizeof *log);
    assert_non_null(log);
    log->fd = mkstemp(path);
    assert_true(log->fd >= 0);
    (void)unlink(path);
    log->stderr_fd = dup(STDERR_FILENO);
    (void)dup2(log->fd, STDERR_FILENO);
    return log;
}

static char *read_all(const struct captured_log *log)
{
    off_t length = lseek(log->fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(pread(log->fd, text, (size_t)length, 0), length);
    return text;
}

unsigned captured_log_count(const struct captured_log *log, const char *word)
{
    char *text = read_all(log);
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    free(text);
    return count;
}

void captured_log_stop(struct captured_log *log)
{
    (void)dup2(log->stderr_fd, STDERR_FILENO);
    if (getenv("TEST_LOG") == NULL)
        return;
    char *text = read_all(log);
    (void)fputs(text, stderr);
    free(text);
}

void captured_log_destroy(struct captured_log *log)
{
    close(log->stderr_fd);
    close(log->fd);
    free(log);
}
