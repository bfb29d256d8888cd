/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/base/thread.h"

#include "tests/support/specification.h"

static bool is_refused; /* the next thread */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *context), void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *context), void *context);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *context), void *context)
{
    return is_refused ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}

struct seen {
    char name[THREAD_NAME_BYTES];
    sigset_t blocked;
};

static void look_around(void *context)
{
    struct seen *seen = context;
    (void)pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &seen->blocked);
}

static void runs_under_its_name(void **state)
{
    (void)state;
    struct thread thread = {.is_started = false};
    struct seen seen = {.name = ""};
    struct error error;
    assert_true(thread_start(&thread, "a-name-of-19-letters", look_around, &seen, &error));
    assert_true(thread.is_started);
    thread_join(&thread);
    assert_false(thread.is_started);
    thread_join(&thread);
    assert_string_equal(seen.name, "a-name-of-19-le");
}

static void is_reached_by_its_own_faults_alone(void **state)
{
    (void)state;
    struct thread thread = {.is_started = false};
    struct seen seen;
    struct error error;
    sigset_t before, after;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_true(thread_start(&thread, "t", look_around, &seen, &error));
    thread_join(&thread);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(sigismember(&seen.blocked, SIGTERM), 1);
    assert_int_equal(sigismember(&seen.blocked, SIGCHLD), 1);
    assert_int_equal(sigismember(&seen.blocked, SIGSEGV), 0);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

static void says_when_there_is_no_thread(void **state)
{
    (void)state;
    struct thread thread = {.is_started = false};
    struct error error;
    sigset_t blocked;
    is_refused = true;
    assert_false(thread_start(&thread, "worker-1", look_around, NULL, &error));
    is_refused = false;
    assert_false(thread.is_started);
    assert_non_null(strstr(error.message, "worker-1"));
    (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    assert_int_equal(sigismember(&blocked, SIGTERM), 0);
    thread_join(&thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("runs under its name, cut if need be, until it is joined", runs_under_its_name),
        IT("is reached by no signals but those of its own faults",
           is_reached_by_its_own_faults_alone),
        IT("says when there is no thread to be had", says_when_there_is_no_thread),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
