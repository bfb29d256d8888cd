/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The version of a file's content, without reading it.
 *
 * Owns: nothing. Threads: any. Blocks: never. Errors: none.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

struct file_version { /* zeroed: none */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

/* None for a file that changed a moment ago: it may change again within the same tick of the file
 * system's clock, and nobody could see that. */
struct file_version file_version_of(const struct stat *status);
/* Whether both are of the same content; none is of any. */
bool file_version_is_same(const struct file_version *a, const struct file_version *b);
