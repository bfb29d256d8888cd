/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "service/outbound/due_watch.h"

#include "tests/support/specification.h"

static void asks_at_once_first(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_int_equal(due_watch_wait_ms(&watch, 7), 0);
    assert_true(due_watch_take(&watch, 7));
}

static void lets_one_ask(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(due_watch_take(&watch, 0));
    assert_false(due_watch_take(&watch, 0));
    assert_int_equal(due_watch_wait_ms(&watch, 1), DUE_WATCH_INTERVAL_MS - 1);
    assert_false(due_watch_take(&watch, DUE_WATCH_INTERVAL_MS - 1));
    assert_true(due_watch_take(&watch, DUE_WATCH_INTERVAL_MS));
}

static void asks_earlier_for_something_due(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(due_watch_take(&watch, 0));
    due_watch_lower(&watch, 300);
    due_watch_lower(&watch, 800);
    assert_int_equal(due_watch_wait_ms(&watch, 0), 300);
    assert_false(due_watch_take(&watch, 299));
    assert_true(due_watch_take(&watch, 300));
}

static void asks_again_for_what_came_meanwhile(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(due_watch_take(&watch, 0)); /* the question is on its way */
    due_watch_lower(&watch, INT64_MIN);     /* something is accepted */
    due_watch_lower(&watch, 60000);         /* the answer: nothing for a minute */
    assert_true(due_watch_take(&watch, 1));
}

enum { THREADS = 4, MOMENTS = 20000 };
struct race {
    struct due_watch watch;
    _Atomic unsigned taken;
};

static void *take_often(void *context)
{
    struct race *race = context;
    for (int64_t i = 0; i < MOMENTS; i++) {
        if (due_watch_take(&race->watch, i * DUE_WATCH_INTERVAL_MS))
            atomic_fetch_add(&race->taken, 1);
    }
    return NULL;
}

static void several_threads_never_ask_twice(void **state)
{
    (void)state;
    struct race race = {.taken = 0};
    due_watch_init(&race.watch);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, &race), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_in_range(race.taken, 1, MOMENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("asks at once the first time", asks_at_once_first),
        IT("lets one caller ask per interval while nothing is known to be due", lets_one_ask),
        IT("asks at the earliest moment it was told of", asks_earlier_for_something_due),
        IT("asks again for what became due while the question was on its way",
           asks_again_for_what_came_meanwhile),
        IT("lets one of several threads ask", several_threads_never_ask_twice),
    };
    return cmocka_run_group_tests_name("due_watch", tests, NULL, NULL);
}
