/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/net/acceptor.h"

#include "tests/support/specification.h"

enum { RETRY_MS = 100 /* of acceptor.c */, CLIENTS = 3 };

static struct event_loop *loop;
static struct acceptor acceptor;
static int clients[CLIENTS], taken[CLIENTS];
static size_t taken_count;
static unsigned starvings, reliefs;
static struct rlimit limit_before;

static void take(void *context, int take_fd, const struct sockaddr *peer, socklen_t peer_length)
{
    (void)context;
    (void)peer;
    (void)peer_length;
    taken[taken_count++] = take_fd;
}

static void starve(void *context, bool is_starved)
{
    (void)context;
    starvings += is_starved ? 1 : 0;
    reliefs += is_starved ? 0 : 1;
}

static int start(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address.sun_family; /* the kernel chooses a name */
    struct error error;
    taken_count = starvings = reliefs = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit_before), 0);
    loop = event_loop_create(&error);
    assert_non_null(loop);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, CLIENTS), 0);
    length = sizeof address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    acceptor_init(&acceptor, &(struct listener){.fds = {fd}, .count = 1});
    acceptor.options = (struct acceptor_options){.loop = loop, .take = take, .starve = starve};
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(clients[i], (const struct sockaddr *)&address, length), 0);
    }
    return 0;
}

static void may_open(bool is_allowed)
{
    struct rlimit limit = limit_before;
    if (!is_allowed)
        limit.rlim_cur = 3; /* stdin, stdout, stderr: what is open stays so */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int stop(void **state)
{
    (void)state;
    may_open(true);
    acceptor_close(&acceptor);
    event_loop_destroy(loop);
    for (size_t i = 0; i < CLIENTS; i++)
        (void)close(clients[i]);
    for (size_t i = 0; i < taken_count; i++)
        (void)close(taken[i]);
    return 0;
}

static void turn(size_t room, int64_t now_ms)
{
    struct error error;
    size_t before = taken_count;
    acceptor_turn(&acceptor, room, now_ms);
    assert_true(acceptor_watch(&acceptor, taken_count - before < room, &error));
}

static void takes_who_waits(void **state)
{
    (void)state;
    turn(100, 0);
    assert_int_equal(taken_count, CLIENTS);
    assert_int_equal(acceptor_wait_ms(&acceptor, 0), -1);
    assert_int_equal(starvings + reliefs, 0);
}

static void asks_only_when_the_loop_reports(void **state)
{
    (void)state;
    struct error error;
    assert_true(acceptor_watch(&acceptor, true, &error));
    turn(100, 0);
    assert_int_equal(taken_count, 0);
    for (size_t i = 1; i <= CLIENTS; i++) { /* who is left is reported again */
        event_loop_poll(loop, 0);
        turn(1, 0);
        assert_int_equal(taken_count, i);
        assert_true(acceptor_watch(&acceptor, true, &error));
    }
}

static void looks_away_without_room(void **state)
{
    (void)state;
    turn(2, 0);
    assert_int_equal(taken_count, 2);
    assert_false(acceptor.is_watched);
    turn(1, 1);
    assert_int_equal(taken_count, CLIENTS);
}

static void tries_again_without_descriptors(void **state)
{
    (void)state;
    may_open(false);
    turn(100, 0);
    assert_false(acceptor.is_watched);
    assert_int_equal(acceptor_wait_ms(&acceptor, 1), RETRY_MS - 1);
    may_open(true);
    turn(100, RETRY_MS - 1);
    assert_int_equal(taken_count, 0);
    turn(100, RETRY_MS);
    assert_int_equal(taken_count, CLIENTS);
    assert_true(acceptor.is_watched);
    assert_int_equal(starvings, 1);
    assert_int_equal(reliefs, 1);
}

/* The descriptors are back, but those who waited take all the room: nobody is to ask in a loop. */
static void waits_for_room_after_a_want_of_descriptors(void **state)
{
    (void)state;
    may_open(false);
    turn(100, 0);
    may_open(true);
    turn(2, RETRY_MS);
    assert_int_equal(taken_count, 2);
    assert_int_equal(acceptor_wait_ms(&acceptor, RETRY_MS + 1), -1);
    turn(0, RETRY_MS + 1);
    assert_int_equal(acceptor_wait_ms(&acceptor, 2 * RETRY_MS), -1);
    struct error error;
    assert_true(acceptor_watch(&acceptor, true, &error)); /* one has gone */
    assert_int_equal(acceptor_wait_ms(&acceptor, 2 * RETRY_MS), 0);
    turn(2, 2 * RETRY_MS);
    assert_int_equal(taken_count, CLIENTS);
    assert_int_equal(reliefs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("takes who waits", takes_who_waits, start, stop),
        IT_WITH("asks for connections only when the loop reports one",
                asks_only_when_the_loop_reports, start, stop),
        IT_WITH("looks away while there is no room", looks_away_without_room, start, stop),
        IT_WITH("tries again a little later without descriptors", tries_again_without_descriptors,
                start, stop),
        IT_WITH("waits for room after a want of descriptors",
                waits_for_room_after_a_want_of_descriptors, start, stop),
    };
    return cmocka_run_group_tests_name("acceptor", tests, NULL, NULL);
}
