/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The store is replaced at link time by pipes that open and close as the test says; the event loop
 * and its descriptors are real.
 */
#include <string.h>
#include <unistd.h>

#include "lib/net/event_loop.h"

#include "service/store/store.h"
#include "service/store/store_watch.h"

#include "tests/support/specification.h"

static struct {
    struct redis_interest interest;
    struct store_counters counters;
    struct store_health health;
    unsigned turns, readable_turns, writable_turns;
} store;

void __wrap_store_interest(const struct store *self, int64_t now_ms, struct redis_interest *out);
void __wrap_store_counters(const struct store *self, struct store_counters *out);
void __wrap_store_health(const struct store *self, struct store_health *out);
void __wrap_store_turn(struct store *self, int64_t now_ms, bool is_readable, bool is_writable);

void __wrap_store_interest(const struct store *self, int64_t now_ms, struct redis_interest *out)
{
    (void)self;
    (void)now_ms;
    *out = store.interest;
}

void __wrap_store_counters(const struct store *self, struct store_counters *out)
{
    (void)self;
    *out = store.counters;
}

void __wrap_store_health(const struct store *self, struct store_health *out)
{
    (void)self;
    *out = store.health;
}

void __wrap_store_turn(struct store *self, int64_t now_ms, bool is_readable, bool is_writable)
{
    (void)self;
    (void)now_ms;
    store.turns++;
    store.readable_turns += is_readable;
    store.writable_turns += is_writable;
}

struct stand {
    struct event_loop *loop;
    struct store_watch watch;
    int ends[2]; /* -1: closed */
};

static struct stand stand_open(void)
{
    struct stand stand = {.loop = event_loop_create(NULL), .ends = {-1, -1}};
    assert_non_null(stand.loop);
    memset(&store, 0, sizeof store);
    store.interest = (struct redis_interest){.fd = -1, .timeout_ms = 7};
    store_watch_init(&stand.watch, stand.loop, NULL);
    return stand;
}

static void hang_up(struct stand *stand)
{
    (void)close(stand->ends[0]);
    (void)close(stand->ends[1]);
}

static void stand_close(struct stand *stand)
{
    hang_up(stand);
    event_loop_destroy(stand->loop);
}

/* A connection with a byte to read. */
static void connect_to(struct stand *stand, bool is_ready)
{
    assert_int_equal(pipe(stand->ends), 0);
    assert_int_equal(write(stand->ends[1], "x", 1), 1);
    store.interest =
        (struct redis_interest){.fd = stand->ends[0], .want_read = true, .timeout_ms = -1};
    store.counters.connects++;
    store.health.is_ready = is_ready;
}

static bool sees_something(struct stand *stand)
{
    unsigned before = store.readable_turns;
    (void)store_watch_prepare(&stand->watch, 0);
    assert_true(event_loop_poll(stand->loop, 0, NULL));
    store_watch_turn(&stand->watch, 0);
    return store.readable_turns > before;
}

static void turns_without_a_connection(void **state)
{
    (void)state;
    struct stand stand = stand_open();
    assert_false(sees_something(&stand));
    assert_int_equal(store.turns, 1);
    assert_int_equal(store_watch_prepare(&stand.watch, 0), 7);
    stand_close(&stand);
}

static void sees_what_arrives(void **state)
{
    (void)state;
    struct stand stand = stand_open();
    connect_to(&stand, true);
    assert_true(sees_something(&stand));
    assert_true(sees_something(&stand)); /* still there */
    store.interest.want_read = false;
    assert_false(sees_something(&stand));
    store.interest.want_read = true;
    assert_true(sees_something(&stand));
    assert_int_equal(store.writable_turns, 0);
    stand_close(&stand);
}

/* The hard case: the number of the old descriptor is that of the new one, all within one turn. */
static void finds_a_new_connection_with_the_old_number(void **state)
{
    (void)state;
    for (int is_ready = 0; is_ready <= 1; is_ready++) {
        struct stand stand = stand_open();
        connect_to(&stand, true);
        assert_true(sees_something(&stand));
        int old_fd = stand.ends[0];
        hang_up(&stand);
        store.counters.losses += is_ready ? 1 : 0; /* one that was not ready is not counted */
        store.counters.connects -= is_ready ? 0 : 1;
        connect_to(&stand, is_ready);
        assert_int_equal(stand.ends[0], old_fd);
        assert_true(sees_something(&stand));
        stand_close(&stand);
    }
}

static void forgets_a_connection_that_is_gone(void **state)
{
    (void)state;
    struct stand stand = stand_open();
    connect_to(&stand, true);
    assert_true(sees_something(&stand));
    hang_up(&stand);
    store.interest.fd = -1;
    store.health.is_ready = false;
    assert_false(sees_something(&stand));
    connect_to(&stand, true);
    assert_true(sees_something(&stand));
    stand_close(&stand);
}

static void tries_again_when_it_cannot_watch(void **state)
{
    (void)state;
    struct stand stand = stand_open();
    connect_to(&stand, true);
    int good_fd = store.interest.fd;
    store.interest.fd = 1 << 20; /* nobody's: epoll refuses it */
    assert_false(sees_something(&stand));
    assert_true(stand.watch.is_failing);
    store.interest.fd = good_fd;
    assert_true(sees_something(&stand));
    assert_false(stand.watch.is_failing);
    stand_close(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("turns the store without a connection too", turns_without_a_connection),
        IT("sees what arrives as long as the store wants it", sees_what_arrives),
        IT("finds a new connection under the number of the old one",
           finds_a_new_connection_with_the_old_number),
        IT("forgets a connection that is gone", forgets_a_connection_that_is_gone),
        IT("tries again when a descriptor cannot be watched", tries_again_when_it_cannot_watch),
    };
    return cmocka_run_group_tests_name("store_watch", tests, NULL, NULL);
}
