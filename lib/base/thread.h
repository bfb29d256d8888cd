/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A named thread that no signal reaches but those of its own mistakes: signals are for main alone.
 *
 * Owns:    the thread until it is joined or detached; zeroed: none.
 * Threads: one at a time. Blocks: thread_join, until the thread ends.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "lib/base/error.h"

enum { THREAD_NAME_BYTES = 16 }; /* as the kernel has it */

struct thread {
    pthread_t id;
    bool is_started;
    /* Read by the thread when it begins. */
    char name[THREAD_NAME_BYTES];
    void (*run)(void *context);
    void *context;
};

/* `thread` stays where it is until `run` was called; `name` is cut if need be. ERROR_IO. */
MUST_CHECK bool thread_start(struct thread *thread, const char *name, void (*run)(void *context),
                             void *context, struct error *error);
void thread_join(struct thread *thread); /* does nothing when none is started */
/* Nobody waits for it any more. */
void thread_detach(struct thread *thread);
