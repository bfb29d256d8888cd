/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/heartbeat.h"
#include "lib/base/notify.h"

#include "service/inbound/service_view.h"
#include "service/serve/supervision.h"

#include "tests/support/captured_log.h"
#include "tests/support/specification.h"

/* The manager's end: a datagram socket of an abstract name that the kernel chose. */
struct manager {
    int fd;
    char name[64];
};

static struct manager manager_listen(void)
{
    struct manager manager = {.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    assert_int_equal(bind(manager.fd, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(manager.fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(manager.name, sizeof manager.name, "@%.*s",
                   (int)(size - sizeof(sa_family_t) - 1), address.sun_path + 1);
    return manager;
}

static void must_hear(const struct manager *manager, const char *lines)
{
    char heard[256] = "";
    assert_int_equal(recv(manager->fd, heard, sizeof heard - 1, 0), (ssize_t)strlen(lines));
    assert_string_equal(heard, lines);
}

static void must_hear_nothing(const struct manager *manager)
{
    char heard[256];
    assert_int_equal(recv(manager->fd, heard, sizeof heard, 0), -1);
}

static void sends_to_an_abstract_name(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    struct error error;
    assert_true(notify_send(manager.name, "READY=1", &error));
    must_hear(&manager, "READY=1");
    must_hear_nothing(&manager);
    (void)close(manager.fd);
}

static void sends_to_a_path(void **state)
{
    (void)state;
    char directory[] = "/tmp/supervision-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", directory);
    struct manager manager = {.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
    assert_int_equal(bind(manager.fd, (struct sockaddr *)&address, sizeof address), 0);
    struct error error;
    assert_true(notify_send(address.sun_path, "READY=1", &error));
    must_hear(&manager, "READY=1");
    (void)close(manager.fd);
    (void)unlink(address.sun_path);
    (void)rmdir(directory);
}

static void is_silent_when_nobody_asked(void **state)
{
    (void)state;
    struct error error;
    assert_true(notify_send(NULL, "READY=1", &error));
}

static void says_what_is_wrong_with_the_socket(void **state)
{
    (void)state;
    struct error error;
    assert_false(notify_send("/nonexistent/notify", "READY=1", &error));
    assert_string_equal(error.message, "NOTIFY_SOCKET: No such file or directory");
    char too_long[200] = "/";
    memset(too_long + 1, 'x', sizeof too_long - 2);
    const char *const wrong[] = {"", "relative", "vsock:2:1234", too_long};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(notify_send(wrong[i], "READY=1", &error));
        assert_string_equal(error.message, "NOTIFY_SOCKET is neither a path nor @name");
    }
}

static void does_not_wait_for_a_manager_that_does_not_read(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    struct error error;
    size_t sent = 0;
    while (sent < 100000 && notify_send(manager.name, "WATCHDOG=1", &error))
        sent++;
    assert_in_range(sent, 1, 99999);
    assert_string_equal(error.message, "NOTIFY_SOCKET: Resource temporarily unavailable");
    (void)close(manager.fd);
}

/* The status comes first: nothing is ready without an intake. */
#define NOT_READY "STATUS=Not ready:"

static void tells_of_readiness_and_of_the_stop(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    const struct service_view view = {.version = "1"};
    struct supervision supervision = {.socket_name = manager.name, .alive_at_ms = 50000};
    supervision_turn(&supervision, &view, 50000);
    must_hear(&manager, NOT_READY);
    supervision.is_ready = true;
    supervision_turn(&supervision, &view, 50001);
    must_hear(&manager, "READY=1");
    supervision_turn(&supervision, &view, 52000);
    must_hear_nothing(&manager);
    supervision.is_stopping = true;
    supervision_turn(&supervision, &view, 52001);
    must_hear(&manager, "STOPPING=1\nSTATUS=Signals in progress are finished first.");
    supervision_turn(&supervision, &view, 54000);
    must_hear_nothing(&manager);
    (void)close(manager.fd);
}

static void tells_each_state_once(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    struct service_view view = {.version = "1"};
    struct supervision supervision = {.socket_name = manager.name, .alive_at_ms = 50000};
    supervision_turn(&supervision, &view, 50000);
    must_hear(&manager, NOT_READY);
    atomic_store(&view.is_draining, true);
    supervision_turn(&supervision, &view, 50999);
    must_hear_nothing(&manager); /* it looks once a second */
    supervision_turn(&supervision, &view, 51000);
    must_hear(&manager, NOT_READY " The service is shutting down.");
    supervision_turn(&supervision, &view, 53000);
    must_hear_nothing(&manager);
    (void)close(manager.fd);
}

static void is_alive_now_and_then_unless_a_loop_hangs(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    struct heartbeat main_loop = {.name = "main"};
    const struct service_view view = {.main_loop = &main_loop, .version = "1"};
    struct supervision supervision = {.socket_name = manager.name};
    heartbeat_beat(&main_loop, 50000);

    supervision_turn(&supervision, &view, 50000);
    must_hear(&manager, NOT_READY);
    must_hear(&manager, "WATCHDOG=1");
    supervision_turn(&supervision, &view, 54999);
    must_hear_nothing(&manager);
    supervision_turn(&supervision, &view, 55000);
    must_hear(&manager, "WATCHDOG=1");
    supervision_turn(&supervision, &view, 60001); /* the loop has not turned for 10001 ms */
    must_hear_nothing(&manager);
    heartbeat_beat(&main_loop, 60002);
    supervision_turn(&supervision, &view, 60002);
    must_hear(&manager, "WATCHDOG=1");
    (void)close(manager.fd);
}

static void is_alive_as_often_as_the_manager_asks(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    const struct service_view view = {.version = "1"};
    struct supervision supervision = {.socket_name = manager.name, .alive_every_ms = 1500};
    assert_int_equal(supervision_timeout_ms(&supervision, 50000), 0);
    supervision_turn(&supervision, &view, 50000);
    must_hear(&manager, NOT_READY);
    must_hear(&manager, "WATCHDOG=1");
    assert_int_equal(supervision_timeout_ms(&supervision, 50400), 1100);
    supervision_turn(&supervision, &view, 51499);
    must_hear_nothing(&manager);
    supervision_turn(&supervision, &view, 51500);
    must_hear(&manager, "WATCHDOG=1");
    supervision.alive_every_ms = 0;
    assert_int_equal(supervision_timeout_ms(&supervision, 99999), -1); /* it need not wake up */
    (void)close(manager.fd);
}

static void tells_again_what_was_not_heard_and_logs_once(void **state)
{
    (void)state;
    struct manager manager = manager_listen();
    struct error error;
    while (notify_send(manager.name, "X=1", &error))
        ;
    const struct service_view view = {.version = "1"};
    struct supervision supervision = {.socket_name = manager.name, .is_ready = true};
    struct captured_log *log = captured_log_start();
    for (int64_t now_ms = 50000; now_ms < 58000; now_ms += 100)
        supervision_turn(&supervision, &view, now_ms);
    assert_int_equal(captured_log_count(log, "notify_failed"), 1);
    char heard[256];
    while (recv(manager.fd, heard, sizeof heard, 0) > 0)
        ;
    supervision_turn(&supervision, &view, 58000);
    must_hear(&manager, "READY=1");
    must_hear(&manager, NOT_READY);
    must_hear(&manager, "WATCHDOG=1");
    assert_int_equal(captured_log_count(log, "notify_works"), 1);
    captured_log_stop(log);
    captured_log_destroy(log);
    (void)close(manager.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("sends to a socket of an abstract name", sends_to_an_abstract_name),
        IT("sends to a socket in the file system", sends_to_a_path),
        IT("sends nothing when nobody asked", is_silent_when_nobody_asked),
        IT("says what is wrong with the socket", says_what_is_wrong_with_the_socket),
        IT("does not wait long for a manager that does not read",
           does_not_wait_for_a_manager_that_does_not_read),
        IT("tells of readiness and of the stop", tells_of_readiness_and_of_the_stop),
        IT("tells each state once", tells_each_state_once),
        IT("says that it is alive every five seconds, but not while a loop hangs",
           is_alive_now_and_then_unless_a_loop_hangs),
        IT("says that it is alive as often as the manager asks",
           is_alive_as_often_as_the_manager_asks),
        IT("tells again what was not heard, and logs that once",
           tells_again_what_was_not_heard_and_logs_once),
    };
    return cmocka_run_group_tests_name("supervision", tests, NULL, NULL);
}
