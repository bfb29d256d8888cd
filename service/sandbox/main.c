/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * seek-sandbox: arguments, signals, exit code (0 fine, 2 a wrong command line or script, 1
 * anything else).
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/core_dump.h"
#include "lib/base/log.h"

#include "service/sandbox/arguments.h"

enum { LAST_LINES_MS = 1000 }; /* at the end, for whoever reads the log */

/* Signals arrive as a readable descriptor, so that no handler runs between two instructions. */
static int open_stop_fd(void)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each waiting call holds a descriptor; the usual soft limit of 1,024 is meant for select(). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer descriptors work too */
}

static bool announce(const struct sandbox *sandbox, struct error *error)
{
    struct buffer text;
    buffer_init(&text, 8192);
    bool is_printed = sandbox_describe(sandbox, &text, error);
    if (is_printed && (printf("ready %s\n", text.bytes) < 0 || fflush(stdout) != 0))
        is_printed = error_set(error, ERROR_IO, "standard output cannot be written");
    buffer_fini(&text);
    return is_printed;
}

static bool serve(const struct arguments *arguments, struct error *error)
{
    int stop_fd = open_stop_fd();
    if (stop_fd < 0)
        return error_set(error, ERROR_IO, "signals cannot be watched");
    AUTO(sandbox) *sandbox = sandbox_create(&arguments->sandbox, error);
    bool is_fine =
        sandbox != NULL && announce(sandbox, error) && sandbox_run(sandbox, stop_fd, error);
    (void)close(stop_fd); /* nothing was written to it */
    return is_fine;
}

/* 1: what was printed is lost. */
static int end_of_output(void)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return 0;
    (void)fputs("seek-sandbox: standard output cannot be written\n", stderr);
    return 1;
}

/* For the build: prints the manual page. */
static bool is_help_man(int argc, char *argv[])
{
    return argc == 3 && strcmp(argv[1], "--help") == 0 && strcmp(argv[2], "man") == 0;
}

int main(int argc, char *argv[])
{
    if (is_help_man(argc, argv)) {
        arguments_print_manual(stdout, SEEK_SIGNAL_VERSION);
        return end_of_output();
    }
    (void)core_dump_forbid(); /* nobody's real secrets, but perhaps used as if */
    struct arguments arguments;
    struct error error = {.kind = ERROR_NONE};
    if (!arguments_parse((const char *const *)argv, &arguments, &error)) {
        (void)fprintf(stderr, "seek-sandbox: %s\n", error.message);
        return 2;
    }
    if (arguments.wants_help) {
        arguments_print_help(stdout);
        return end_of_output();
    }
    if (arguments.wants_version) {
        (void)puts("seek-sandbox " SEEK_SIGNAL_VERSION);
        return end_of_output();
    }
    log_configure(arguments.is_quiet ? LOG_WARN : LOG_INFO, LOG_FORMAT_TEXT);
    raise_descriptor_limit();
    bool is_fine = log_start(&error) && serve(&arguments, &error);
    log_stop(LAST_LINES_MS);
    if (is_fine)
        return 0;
    (void)fprintf(stderr, "seek-sandbox: %s\n", error.message);
    return error.kind == ERROR_CONFIG || error.kind == ERROR_INVALID ? 2 : 1;
}
