/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What the tests stand on: a signal never goes to more than the process that is meant. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/redis_server.h"
#include "tests/support/signal_process.h"
#include "tests/support/specification.h"

/* In a child with a process group of its own, so that only the child suffers. */
static void must_abort(void (*act)(void *context), void *context)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setsid();
        (void)close(STDERR_FILENO);
        act(context);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    if (WIFSTOPPED(status)) {
        (void)signal_process(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void ask_for_existence(void *context)
{
    (void)signal_process(*(const pid_t *)context, 0);
}

static void freeze(void *context)
{
    redis_server_freeze(context);
}

static void thaw(void *context)
{
    redis_server_thaw(context);
}

static void refuses_pids_that_are_no_child(void **state)
{
    (void)state;
    static const pid_t pids[] = {1, 0, -1, -2};
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++)
        must_abort(ask_for_existence, &(pid_t){pids[i]});
}

static void freezes_nothing_but_a_running_server(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    redis_server_freeze(server);
    redis_server_thaw(server);
    assert_string_equal(redis_server_cli(server, "PING"), "PONG");
    redis_server_kill(server);
    must_abort(freeze, server);
    must_abort(thaw, server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("refuses to signal what can be no child", refuses_pids_that_are_no_child),
        IT("freezes and thaws nothing but a server that runs",
           freezes_nothing_but_a_running_server),
    };
    return cmocka_run_group_tests_name("redis_server", tests, NULL, NULL);
}
