/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static void *begin(void *context)
{
    struct thread *thread = context;
    (void)pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->context);
    return NULL;
}

/* A fault of the thread itself finds its handler, that of a sanitizer, say. */
static void fill_with_outer_signals(sigset_t *signals)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    (void)sigfillset(signals);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        (void)sigdelset(signals, own[i]);
}

bool thread_start(struct thread *thread, const char *name, void (*run)(void *context),
                  void *context, struct error *error)
{
    assert(!thread->is_started);
    thread->run = run;
    thread->context = context;
    (void)snprintf(thread->name, sizeof thread->name, "%s", name);
    sigset_t outer, before;
    fill_with_outer_signals(&outer);
    (void)pthread_sigmask(SIG_SETMASK, &outer, &before);
    int code = pthread_create(&thread->id, NULL, begin, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return error_set(error, ERROR_IO, "starting thread %s: %s", name, strerrordesc_np(code));
    thread->is_started = true;
    return true;
}

void thread_join(struct thread *thread)
{
    if (!thread->is_started)
        return;
    (void)pthread_join(thread->id, NULL);
    thread->is_started = false;
}

void thread_detach(struct thread *thread)
{
    assert(thread->is_started);
    (void)pthread_detach(thread->id);
    thread->is_started = false;
}
