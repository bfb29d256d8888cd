/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where a test's Redis keeps its files: in memory, where the machine has room for that. The disk of
 * a machine that compiles beside makes an fsync last longer than a store waits for Redis (2 s).
 *
 * Owns: nothing. Threads: any. Blocks: no.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

/* False when there is none. */
static inline bool scratch_make(char *directory, size_t size, const char *name)
{
    enum { ROOM_BYTES = 1 << 30 }; /* a container's usual 64 MB are too few */
    struct statvfs memory;
    bool has_room = statvfs("/dev/shm", &memory) == 0 &&
                    (unsigned long long)memory.f_bavail * memory.f_frsize >= ROOM_BYTES;
    (void)snprintf(directory, size, "%s/%s-XXXXXX", has_room ? "/dev/shm" : "/tmp", name);
    return mkdtemp(directory) != NULL;
}
