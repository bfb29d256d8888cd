/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/process.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/log.h"

enum { END_AT_ONCE_LOG_MS = 200 };

/* Clients may not take what Redis and SEEK are reached by; where it is too little for all of it,
 * both have half. */
static size_t connections_within(size_t limit, size_t others)
{
    return limit > 2 * others ? limit - others : limit / 2;
}

/* The usual soft limit of 1,024 is meant for select(), which nobody here calls. */
void process_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* fewer work too */
}

size_t process_fit_connections(size_t connections, size_t others)
{
    struct rlimit limit;
    size_t wanted = connections + others;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return connections;
    size_t within = connections_within(limit.rlim_cur, others);
    size_t fitting = within < connections ? within : connections;
    log_warn("descriptors_short",
             "There are fewer file descriptors than MAX_CONNECTIONS needs, so fewer connections "
             "are let in. Raise the limit (ulimit -n) or lower MAX_CONNECTIONS",
             LOG_INT("limit", limit.rlim_cur), LOG_INT("wanted", wanted),
             LOG_INT("connections", fitting));
    return fitting;
}

void process_end_at_once(const char *reason)
{
    log_error("stop_forced", reason);
    (void)log_flush(END_AT_ONCE_LOG_MS);
    _exit(1);
}

/* SIGQUIT ends a program from a terminal, by Ctrl-\\, and some of those that supervise. */
static const int ending[] = {SIGTERM, SIGINT, SIGQUIT};
/* What a script sends that expects files to be read again, or counters to be printed: told. */
static const int told[] = {SIGHUP, SIGUSR1, SIGUSR2};
/* Each of them would end a process that does not ask for it. A write beyond the file size limit
 * (SIGXFSZ) or to a closed connection (SIGPIPE) is an error like any other. */
static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGALRM,   SIGVTALRM,
                              SIGPROF, SIGIO,   SIGSTKFLT, SIGPWR};

static void add_all(sigset_t *set, const int numbers[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)sigaddset(set, numbers[i]);
}

void process_take_signals(sigset_t *out_signals)
{
    (void)sigemptyset(out_signals);
    add_all(out_signals, ending, sizeof ending / sizeof ending[0]);
    add_all(out_signals, told, sizeof told / sizeof told[0]);
    /* Every thread inherits the mask, so only main's descriptor sees them. */
    (void)pthread_sigmask(SIG_BLOCK, out_signals, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        (void)signal(ignored[i], SIG_IGN);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        (void)signal(number, SIG_IGN);
}

bool process_is_ended_by(int number, char name[PROCESS_SIGNAL_BYTES])
{
    (void)snprintf(name, PROCESS_SIGNAL_BYTES, "SIG%s", sigabbrev_np(number));
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (ending[i] == number)
            return true;
    log_info("signal_ignored",
             "SIGHUP, SIGUSR1 and SIGUSR2 change nothing. Secret files are read again without "
             "them. Other settings need a restart. SIGTERM ends the service",
             LOG_TEXT("signal", name));
    return false;
}
