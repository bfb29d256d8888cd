/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/failing_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

_Atomic int failing_open_code;
_Atomic unsigned failing_open_count;

int __real_private_file_open(int directory_fd, const char *name, int flags);
int __wrap_private_file_open(int directory_fd, const char *name, int flags);
int __wrap_private_file_open(int directory_fd, const char *name, int flags)
{
    int code = atomic_load(&failing_open_code);
    bool is_segment = strncmp(name, "journal-", strlen("journal-")) == 0;
    if (code == FAILING_OPEN_FINE || !is_segment || flags != O_RDONLY)
        return __real_private_file_open(directory_fd, name, flags);
    atomic_fetch_add(&failing_open_count, 1);
    if (code == FAILING_OPEN_READ)
        return __real_private_file_open(directory_fd, name, O_WRONLY);
    errno = code;
    return -1;
}
