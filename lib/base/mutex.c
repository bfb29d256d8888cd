/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/mutex.h"

#include <assert.h>

#if defined(__clang__)
#define UNCHECKED __attribute__((no_thread_safety_analysis))
#else
#define UNCHECKED
#endif

void mutex_init(struct mutex *mutex)
{
    int status = pthread_mutex_init(&mutex->handle, NULL);
    assert(status == 0);
    (void)status;
}

void mutex_fini(struct mutex *mutex)
{
    int status = pthread_mutex_destroy(&mutex->handle);
    assert(status == 0);
    (void)status;
}

UNCHECKED void mutex_lock(struct mutex *mutex)
{
    int status = pthread_mutex_lock(&mutex->handle);
    assert(status == 0);
    (void)status;
}

UNCHECKED void mutex_unlock(struct mutex *mutex)
{
    int status = pthread_mutex_unlock(&mutex->handle);
    assert(status == 0);
    (void)status;
}
