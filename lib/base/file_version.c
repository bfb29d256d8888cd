/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/file_version.h"

#include <stdint.h>

#include "lib/base/clock.h"

enum { SETTLED_AFTER_MS = 2000 };

struct file_version file_version_of(const struct stat *status)
{
    int64_t modified_ms = (int64_t)status->st_mtim.tv_sec * 1000;
    if (clock_wall_ms() - modified_ms <= SETTLED_AFTER_MS)
        return (struct file_version){.inode = 0};
    return (struct file_version){.device = status->st_dev,
                                 .inode = status->st_ino,
                                 .size = status->st_size,
                                 .modified = status->st_mtim};
}

bool file_version_is_same(const struct file_version *a, const struct file_version *b)
{
    return a->inode != 0 && a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}
