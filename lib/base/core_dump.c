/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/core_dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

bool core_dump_forbid_by_limit(void)
{
    /* Not 0: the kernel ignores that where core_pattern names a program. One byte is too little for
     * a file, and for a program it means "none" (core(5), do_coredump). */
    const struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    return setrlimit(RLIMIT_CORE, &limit) == 0 || setrlimit(RLIMIT_CORE, &none) == 0;
}

bool core_dump_forbid(void)
{
    bool is_limited = core_dump_forbid_by_limit();
    /* It also keeps other processes of this user from attaching and from reading our memory. */
    return prctl(PR_SET_DUMPABLE, 0) == 0 && is_limited;
}
