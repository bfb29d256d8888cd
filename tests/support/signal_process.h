/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * kill() for exactly one process. 0 and negative numbers mean whole groups, and 1 is init: a test
 * that has lost the pid of its child would stop or end ctest, and its time-outs with it. So a pid
 * that no child can have ends the test instead.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

static inline int signal_process(pid_t pid, int number)
{
    if (pid <= 1) {
        (void)fprintf(stderr, "signal %d has no process to go to: pid %d\n", number, (int)pid);
        abort();
    }
    return kill(pid, number);
}
