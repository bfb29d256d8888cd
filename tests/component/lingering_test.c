/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/net/lingering.h"

#include "tests/support/specification.h"

enum { LIMIT = 64, PATIENCE_MS = 2000 }; /* of lingering.c */

static struct event_loop *loop;
static struct lingering lingering;

static int start(void **state)
{
    (void)state;
    struct error error;
    loop = event_loop_create(&error);
    if (loop == NULL)
        return -1;
    lingering_init(&lingering, loop);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lingering_fini(&lingering);
    event_loop_destroy(loop);
    return 0;
}

/* The peer of a socket that lingers from now on. */
static int add(int64_t now_ms)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    lingering_add(&lingering, fds[0], now_ms);
    return fds[1];
}

static void turn(void)
{
    event_loop_poll(loop, 0);
}

static bool is_closed(int peer)
{
    char byte;
    return recv(peer, &byte, 1, 0) == 0;
}

static void drops_what_comes_in(void **state)
{
    (void)state;
    int peer = add(0);
    char bytes[1000] = "";
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(send(peer, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
        turn();
    }
    assert_int_equal(lingering.count, 1);

    (void)close(peer);
    turn();

    assert_int_equal(lingering.count, 0);
    assert_int_equal(deadline_queue_wait_ms(&lingering.deadlines, 0), -1);
}

static void lingers_again_with_the_same_number(void **state)
{
    (void)state;
    (void)close(add(0));
    turn();
    assert_int_equal(lingering.count, 0);

    int peer = add(0);

    turn();
    assert_int_equal(lingering.count, 1);
    (void)close(peer);
}

static void loses_patience(void **state)
{
    (void)state;
    int first = add(1000);
    int second = add(1500);

    lingering_expire(&lingering, 1000 + PATIENCE_MS - 1);
    assert_false(is_closed(first));
    lingering_expire(&lingering, 1000 + PATIENCE_MS);

    assert_true(is_closed(first));
    assert_false(is_closed(second));
    assert_int_equal(deadline_queue_wait_ms(&lingering.deadlines, 1000 + PATIENCE_MS), 500);
    (void)close(first);
    (void)close(second);
}

static void closes_those_over_the_limit(void **state)
{
    (void)state;
    int peers[LIMIT + 1];
    for (int i = 0; i <= LIMIT; i++)
        peers[i] = add(0);

    assert_false(is_closed(peers[LIMIT - 1]));
    assert_true(is_closed(peers[LIMIT]));
    for (int i = 0; i <= LIMIT; i++)
        (void)close(peers[i]);
}

static void closes_all_in_the_end(void **state)
{
    (void)state;
    int peer = add(0);

    lingering_fini(&lingering);

    assert_true(is_closed(peer));
    assert_int_equal(lingering.count, 0);
    (void)close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("drops what comes in until the peer closes", drops_what_comes_in, start, stop),
        IT_WITH("lingers again with a descriptor of the same number",
                lingers_again_with_the_same_number, start, stop),
        IT_WITH("closes when its time has passed", loses_patience, start, stop),
        IT_WITH("closes at once what is over the limit", closes_those_over_the_limit, start, stop),
        IT_WITH("closes all in the end", closes_all_in_the_end, start, stop),
    };
    return cmocka_run_group_tests_name("lingering", tests, NULL, NULL);
}
