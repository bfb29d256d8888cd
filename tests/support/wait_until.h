/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * For what other threads bring about.
 *
 * Owns: nothing. Threads: the test's. Blocks: until the condition holds, for at most `patience_ms`.
 */
#pragma once

#include <unistd.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"

#define WAIT_UNTIL_WITHIN(patience_ms, condition)                                                  \
    do {                                                                                           \
        int64_t until_ms_ = clock_monotonic_ms() + (patience_ms);                                  \
        while (!(condition)) {                                                                     \
            if (clock_monotonic_ms() > until_ms_)                                                  \
                fail_msg("never: %s", #condition);                                                 \
            (void)usleep(2000);                                                                    \
        }                                                                                          \
    } while (0)
