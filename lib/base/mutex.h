/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A lock that clang can reason about: `clang -Wthread-safety` proves each REQUIRES.
 *
 * Owns: one POSIX mutex. Threads: any. Blocks: until the lock is free; hold it for moments, one at
 * a time, and do no I/O, callback, log or allocation under it.
 */
#pragma once

#include <pthread.h>

#if defined(__clang__)
#define THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define THREAD_ATTRIBUTE(x)
#endif
#define CAPABILITY(name) THREAD_ATTRIBUTE(capability(name))
#define REQUIRES(...) THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRES(...) THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASES(...) THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))

struct CAPABILITY("mutex") mutex {
    pthread_mutex_t handle;
};

/* Initialisation and use cannot fail for a default mutex used correctly; a failure is our own
 * mistake and ends the process. */
void mutex_init(struct mutex *mutex);
void mutex_fini(struct mutex *mutex);
void mutex_lock(struct mutex *mutex) ACQUIRES(*mutex);
void mutex_unlock(struct mutex *mutex) RELEASES(*mutex);
