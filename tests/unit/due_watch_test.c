/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "service/outbound/due_watch.h"

#include "tests/support/specification.h"

enum { KEEPER, OTHER, PATIENCE_MS = 40 };

static bool take(struct due_watch *watch, int worker, int64_t now_ms)
{
    return due_watch_take(watch, worker, PATIENCE_MS, now_ms);
}

static int64_t wait_of(const struct due_watch *watch, int worker, int64_t now_ms)
{
    return due_watch_wait_ms(watch, worker, PATIENCE_MS, now_ms);
}

static void asks_at_once_first(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_int_equal(wait_of(&watch, KEEPER, 7), 0);
    assert_true(take(&watch, KEEPER, 7));
}

static void lets_one_ask(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(take(&watch, KEEPER, 0));
    assert_false(take(&watch, KEEPER, 0));
    assert_int_equal(wait_of(&watch, KEEPER, 1), DUE_WATCH_INTERVAL_MS - 1);
    assert_false(take(&watch, KEEPER, DUE_WATCH_INTERVAL_MS - 1));
    assert_true(take(&watch, KEEPER, DUE_WATCH_INTERVAL_MS));
}

static void asks_earlier_for_something_due(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(take(&watch, KEEPER, 0));
    assert_true(due_watch_lower(&watch, 300));
    assert_false(due_watch_lower(&watch, 800));
    assert_int_equal(wait_of(&watch, KEEPER, 0), 300);
    assert_false(take(&watch, KEEPER, 299));
    assert_true(take(&watch, KEEPER, 300));
}

static void asks_again_for_what_came_meanwhile(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(take(&watch, KEEPER, 0));         /* the question is on its way */
    assert_true(due_watch_lower(&watch, 0));      /* something is accepted */
    assert_false(due_watch_lower(&watch, 60000)); /* the answer: nothing for a minute */
    assert_true(take(&watch, KEEPER, 1));
}

static void leaves_what_is_due_to_its_keeper(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_int_equal(due_watch_keeper(&watch), DUE_WATCH_NOBODY);
    assert_true(take(&watch, KEEPER, 0));
    assert_int_equal(due_watch_keeper(&watch), KEEPER);
    assert_true(due_watch_lower(&watch, 300));
    assert_int_equal(wait_of(&watch, KEEPER, 100), 200);
    assert_int_equal(wait_of(&watch, OTHER, 100), 200 + PATIENCE_MS);
    assert_false(take(&watch, OTHER, 300 + PATIENCE_MS - 1));
    assert_true(take(&watch, OTHER, 300 + PATIENCE_MS)); /* the keeper stands still */
    assert_int_equal(due_watch_keeper(&watch), OTHER);
}

static void lets_anybody_ask_when_it_is_given_back(void **state)
{
    (void)state;
    struct due_watch watch;
    due_watch_init(&watch);
    assert_true(take(&watch, KEEPER, 0));
    assert_false(due_watch_give_back(&watch, OTHER));
    assert_int_equal(wait_of(&watch, OTHER, 0), DUE_WATCH_INTERVAL_MS + PATIENCE_MS);
    assert_true(due_watch_give_back(&watch, KEEPER));
    assert_false(due_watch_give_back(&watch, KEEPER));
    assert_int_equal(wait_of(&watch, OTHER, 0), DUE_WATCH_INTERVAL_MS);
    assert_true(take(&watch, OTHER, DUE_WATCH_INTERVAL_MS));
    assert_int_equal(due_watch_keeper(&watch), OTHER);
}

enum { THREADS = 4, MOMENTS = 20000 };
struct race {
    struct due_watch watch;
    _Atomic unsigned taken;
    _Atomic int worker;
};

static void *take_often(void *context)
{
    struct race *race = context;
    int worker = atomic_fetch_add(&race->worker, 1);
    for (int64_t i = 0; i < MOMENTS; i++) {
        if (due_watch_take(&race->watch, worker, 0, i * DUE_WATCH_INTERVAL_MS))
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
        IT("leaves what is due to its keeper, for as long as patience lasts",
           leaves_what_is_due_to_its_keeper),
        IT("lets anybody ask once it is given back", lets_anybody_ask_when_it_is_given_back),
        IT("lets one of several threads ask", several_threads_never_ask_twice),
    };
    return cmocka_run_group_tests_name("due_watch", tests, NULL, NULL);
}
