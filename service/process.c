/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/process.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/log.h"

void process_forbid_cores(void)
{
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warn("cores_allowed", "core dumps could not be switched off; they would hold secrets",
                 LOG_TEXT("reason", strerror(errno)));
}

/* Clients may not take what Redis and SEEK are reached by; where it is too little for all of it,
 * both have half. */
static size_t connections_within(size_t limit, size_t others)
{
    return limit > 2 * others ? limit - others : limit / 2;
}

size_t process_reserve_descriptors(size_t connections, size_t others)
{
    struct rlimit limit;
    size_t wanted = connections + others;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return connections;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
        return connections;
    (void)getrlimit(RLIMIT_NOFILE, &limit); /* as it is, if it could not be set */
    size_t within = connections_within(limit.rlim_cur, others);
    log_warn("descriptors_short",
             "fewer file descriptors than MAX_CONNECTIONS needs, so that fewer connections are let "
             "in: raise the limit (ulimit -n) or lower MAX_CONNECTIONS",
             LOG_INT("limit", limit.rlim_cur), LOG_INT("wanted", wanted),
             LOG_INT("connections", within < connections ? within : connections));
    return within < connections ? within : connections;
}

void process_end_at_once(const char *reason)
{
    log_error("stop_forced", reason);
    _exit(1);
}

void process_block_signals(sigset_t *out_signals)
{
    (void)sigemptyset(out_signals);
    (void)sigaddset(out_signals, SIGTERM);
    (void)sigaddset(out_signals, SIGINT);
    /* Every thread inherits the mask, so only main's descriptor sees them. */
    (void)pthread_sigmask(SIG_BLOCK, out_signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}
