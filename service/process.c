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

void process_raise_descriptor_limit(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_warn("descriptors_short",
                 "fewer file descriptors than MAX_CONNECTIONS needs: raise "
                 "the limit (ulimit -n) or lower MAX_CONNECTIONS",
                 LOG_INT("limit", limit.rlim_cur), LOG_INT("wanted", wanted));
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
