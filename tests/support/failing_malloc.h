/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * "The n-th allocation fails": for tests of what happens when memory is out.
 *
 *     for (unsigned n = 0;; n++) {
 *         failing_malloc_arm(n);
 *         struct thing *thing = thing_create(&error);
 *         if (!failing_malloc_disarm())
 *             break; // made with n allocations or fewer: every one has failed once
 *         assert_null(thing);
 *     }
 *
 * The target is linked with can_fail_allocations (tests/unit/base.cmake). Only calls of the
 * project's own code fail, not those inside shared libraries.
 *
 * Owns: the calling thread's countdown. Threads: any, each its own. Blocks: never.
 */
#pragma once

#include <stdbool.h>

/* From now on, `successes` allocations work and the next one fails, once. */
void failing_malloc_arm(unsigned successes);
/* Everything works again. Returns whether an allocation failed. */
bool failing_malloc_disarm(void);
/* For wrappers of other functions: counts as one allocation; true when this is the one to fail. */
bool failing_malloc_strikes(void);
