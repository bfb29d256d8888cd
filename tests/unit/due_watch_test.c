/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "lib/base/clock.h"

#include "service/outbound/due_watch.h"

#include "tests/support/specification.h"

enum { OWNER, OTHER, THIRD, WORKERS, PATIENCE_MS = 40 };

static int set_up(void **state)
{
    struct due_watch *watch = calloc(1, sizeof *watch);
    assert_non_null(watch);
    assert_true(due_watch_init(watch, WORKERS, NULL));
    for (int worker = 0; worker < WORKERS; worker++) {
        struct event_loop *loop = event_loop_create(NULL);
        assert_non_null(loop);
        due_watch_join(watch, worker, loop);
    }
    *state = watch;
    return 0;
}

static int tear_down(void **state)
{
    struct due_watch *watch = *state;
    for (int worker = 0; worker < WORKERS; worker++)
        event_loop_destroy(watch->slots[worker].loop);
    due_watch_fini(watch);
    free(watch);
    return 0;
}

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
    struct due_watch *watch = *state;
    assert_int_equal(wait_of(watch, OWNER, 7), 0);
    assert_true(take(watch, OWNER, 7));
}

static void lets_one_ask(void **state)
{
    struct due_watch *watch = *state;
    assert_true(take(watch, OWNER, 0));
    assert_false(take(watch, OWNER, 0));
    assert_int_equal(wait_of(watch, OWNER, 1), DUE_WATCH_INTERVAL_MS - 1);
    assert_false(take(watch, OWNER, DUE_WATCH_INTERVAL_MS - 1));
    assert_true(take(watch, OWNER, DUE_WATCH_INTERVAL_MS));
}

static void asks_less_often_while_the_queue_is_empty(void **state)
{
    struct due_watch *watch = *state;
    int64_t now_ms = 0;
    for (unsigned i = 0; i < DUE_WATCH_IDLE_ASKS; i++, now_ms += DUE_WATCH_INTERVAL_MS) {
        assert_true(take(watch, OWNER, now_ms));
        assert_int_equal(wait_of(watch, OWNER, now_ms), DUE_WATCH_INTERVAL_MS);
        due_watch_note_found(watch, true);
    }
    assert_true(take(watch, OWNER, now_ms));
    assert_int_equal(wait_of(watch, OWNER, now_ms), DUE_WATCH_IDLE_INTERVAL_MS);
    assert_true(due_watch_lower(watch, now_ms + 300)); /* what comes is not late for that */
    assert_true(take(watch, OWNER, now_ms + 300));
    due_watch_note_found(watch, false);
    now_ms += 300 + DUE_WATCH_IDLE_INTERVAL_MS;
    assert_true(take(watch, OWNER, now_ms));
    assert_int_equal(wait_of(watch, OWNER, now_ms), DUE_WATCH_INTERVAL_MS);
}

static void asks_earlier_for_something_due(void **state)
{
    struct due_watch *watch = *state;
    assert_true(take(watch, OWNER, 0));
    assert_true(due_watch_lower(watch, 300));
    assert_false(due_watch_lower(watch, 800));
    assert_int_equal(wait_of(watch, OWNER, 0), 300);
    assert_false(take(watch, OWNER, 299));
    assert_true(take(watch, OWNER, 300));
}

static void asks_again_for_what_came_meanwhile(void **state)
{
    struct due_watch *watch = *state;
    assert_true(take(watch, OWNER, 0));          /* the question is on its way */
    assert_true(due_watch_lower(watch, 0));      /* something is accepted */
    assert_false(due_watch_lower(watch, 60000)); /* the answer: nothing for a minute */
    assert_true(take(watch, OWNER, 1));
}

static void leaves_what_is_due_to_its_owner(void **state)
{
    struct due_watch *watch = *state;
    assert_int_equal(due_watch_owner(watch), DUE_WATCH_NOBODY);
    assert_true(take(watch, OWNER, 0));
    assert_int_equal(due_watch_owner(watch), OWNER);
    assert_true(due_watch_lower(watch, 300));
    assert_int_equal(wait_of(watch, OWNER, 100), 200);
    assert_int_equal(wait_of(watch, OTHER, 100), 200 + PATIENCE_MS);
    assert_false(take(watch, OTHER, 300 + PATIENCE_MS - 1));
    assert_true(take(watch, OTHER, 300 + PATIENCE_MS)); /* the owner stands still */
    assert_int_equal(due_watch_owner(watch), OTHER);
}

static void lets_anybody_ask_when_its_owner_leaves(void **state)
{
    struct due_watch *watch = *state;
    assert_true(take(watch, OWNER, 0));
    due_watch_leave(watch, OTHER);
    assert_int_equal(due_watch_owner(watch), OWNER);
    assert_int_equal(wait_of(watch, OTHER, 0), DUE_WATCH_INTERVAL_MS + PATIENCE_MS);
    due_watch_leave(watch, OWNER);
    assert_int_equal(due_watch_owner(watch), DUE_WATCH_NOBODY);
    assert_int_equal(wait_of(watch, OTHER, 0), DUE_WATCH_INTERVAL_MS);
    assert_true(take(watch, OTHER, DUE_WATCH_INTERVAL_MS));
    assert_int_equal(due_watch_owner(watch), OTHER);
}

/* --- who is woken --- */

static void set_state(struct due_watch *watch, int worker, enum due_watch_state slot_state)
{
    switch (slot_state) {
    case DUE_WATCH_UNABLE:
        due_watch_leave(watch, worker);
        break;
    case DUE_WATCH_AWAKE:
        due_watch_stay_awake(watch, worker);
        break;
    case DUE_WATCH_RESTING:
        due_watch_rest(watch, worker);
        break;
    }
}

static void must_be(struct due_watch *watch, int worker, enum due_watch_state slot_state)
{
    assert_int_equal(atomic_load(&watch->slots[worker].state), slot_state);
}

#define U DUE_WATCH_UNABLE
#define A DUE_WATCH_AWAKE
#define R DUE_WATCH_RESTING

static void wakes_its_owner_or_another_one_that_rests(void **state)
{
    struct due_watch *watch = *state;
    static const struct {
        bool is_owned;
        enum due_watch_state before[WORKERS], after[WORKERS];
    } rows[] = {
        {true, {R, R, R}, {A, R, R}}, /* it alone */
        {true, {A, R, R}, {A, R, R}}, /* it looks by itself */
        {true, {U, R, R}, {U, A, R}}, /* one of the others */
        {true, {U, U, R}, {U, U, A}},  {true, {U, A, U}, {U, A, U}},
        {false, {U, R, R}, {U, A, R}}, {false, {A, A, R}, {A, A, A}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atomic_store(&watch->owner, DUE_WATCH_NOBODY);
        for (int worker = 0; worker < WORKERS; worker++)
            set_state(watch, worker, rows[i].before[worker]);
        atomic_store(&watch->owner, rows[i].is_owned ? OWNER : DUE_WATCH_NOBODY);
        due_watch_wake_one(watch);
        for (int worker = 0; worker < WORKERS; worker++)
            must_be(watch, worker, rows[i].after[worker]);
    }
}

static void wakes_a_new_owners_deputy_to_look_after_it(void **state)
{
    struct due_watch *watch = *state;
    for (int worker = 0; worker < WORKERS; worker++)
        set_state(watch, worker, R);
    assert_false(due_watch_is_deputy(watch, (OWNER + 1) % WORKERS));
    assert_true(take(watch, OWNER, 0));
    assert_true(due_watch_is_deputy(watch, (OWNER + 1) % WORKERS));
    assert_false(due_watch_is_deputy(watch, (OWNER + 2) % WORKERS));
    must_be(watch, (OWNER + 1) % WORKERS, A);
    must_be(watch, (OWNER + 2) % WORKERS, R);
    set_state(watch, (OWNER + 1) % WORKERS, R);
    assert_true(take(watch, OWNER, DUE_WATCH_INTERVAL_MS)); /* the same: it rests on */
    must_be(watch, (OWNER + 1) % WORKERS, R);
}

static void wakes_nobody_for_what_is_known(void **state)
{
    struct due_watch *watch = *state;
    assert_true(take(watch, OWNER, 0));
    due_watch_rest(watch, OWNER);
    due_watch_note(watch, DUE_WATCH_INTERVAL_MS);
    must_be(watch, OWNER, DUE_WATCH_RESTING);
    due_watch_note(watch, DUE_WATCH_INTERVAL_MS - 1);
    must_be(watch, OWNER, DUE_WATCH_AWAKE);
}

static void hands_the_look_on_when_its_owner_leaves(void **state)
{
    struct due_watch *watch = *state;
    assert_true(take(watch, OWNER, 0));
    due_watch_rest(watch, OTHER);
    due_watch_leave(watch, THIRD); /* keeps nothing */
    must_be(watch, OTHER, DUE_WATCH_RESTING);
    due_watch_leave(watch, OWNER);
    must_be(watch, OWNER, DUE_WATCH_UNABLE);
    must_be(watch, OTHER, DUE_WATCH_AWAKE);
}

/* --- with threads --- */

enum { MOMENTS = 20000, WAKE_UPS = 3000, HANDED_ON_EACH = 5, LOST_MS = 10000 };
struct watch_race {
    struct due_watch *watch;
    _Atomic unsigned taken;
    _Atomic int worker;
    _Atomic bool is_over;
};

static void *take_often(void *context)
{
    struct watch_race *race = context;
    int worker = atomic_fetch_add(&race->worker, 1);
    for (int64_t i = 0; i < MOMENTS; i++) {
        if (due_watch_take(race->watch, worker, 0, i * DUE_WATCH_INTERVAL_MS))
            atomic_fetch_add(&race->taken, 1);
    }
    return NULL;
}

static void run_race(struct watch_race *race, void *(*run)(void *), pthread_t threads[WORKERS])
{
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, race), 0);
}

static void join_race(pthread_t threads[WORKERS])
{
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void several_threads_never_ask_twice(void **state)
{
    struct watch_race race = {.watch = *state};
    pthread_t threads[WORKERS];
    run_race(&race, take_often, threads);
    join_race(threads);
    assert_in_range(race.taken, 1, MOMENTS);
}

/* Sleeps until it is woken, however long: nothing but a wake-up ends its sleep, save at the end of
 * a test that has failed. Now and then it leaves for a moment. */
static void *rest_and_take(void *context)
{
    struct watch_race *race = context;
    int worker = atomic_fetch_add(&race->worker, 1);
    struct event_loop *loop = race->watch->slots[worker].loop;
    while (!atomic_load(&race->is_over)) {
        due_watch_rest(race->watch, worker);
        if (take(race->watch, worker, 0)) {
            due_watch_stay_awake(race->watch, worker);
            if (atomic_fetch_add(&race->taken, 1) % HANDED_ON_EACH == 0)
                due_watch_leave(race->watch, worker);
            continue;
        }
        event_loop_poll(loop, 2 * LOST_MS);
        due_watch_wake_up(race->watch, worker);
    }
    due_watch_leave(race->watch, worker);
    return NULL;
}

static bool is_taken(const struct due_watch *watch)
{
    return atomic_load(&watch->ask_at_ms) == DUE_WATCH_INTERVAL_MS;
}

static void loses_no_wake_up(void **state)
{
    struct due_watch *watch = *state;
    struct watch_race race = {.watch = watch};
    pthread_t threads[WORKERS];
    run_race(&race, rest_and_take, threads);
    bool is_lost = false;
    for (int i = 0; i < WAKE_UPS && !is_lost; i++) {
        int64_t until_ms = clock_monotonic_ms() + LOST_MS;
        due_watch_note(watch, -i % 2);
        while (!is_taken(watch) && !is_lost) {
            (void)sched_yield();
            is_lost = clock_monotonic_ms() > until_ms;
        }
    }
    atomic_store(&race.is_over, true);
    for (int i = 0; i < WORKERS; i++)
        event_loop_wake(watch->slots[i].loop);
    join_race(threads);
    assert_false(is_lost);
}

#define WATCH(sentence, function) IT_WITH(sentence, function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCH("asks at once the first time", asks_at_once_first),
        WATCH("lets one caller ask per interval while nothing is known to be due", lets_one_ask),
        WATCH("lets it ask seldom while nothing at all waits",
              asks_less_often_while_the_queue_is_empty),
        WATCH("asks at the earliest moment it was told of", asks_earlier_for_something_due),
        WATCH("asks again for what became due while the question was on its way",
              asks_again_for_what_came_meanwhile),
        WATCH("leaves what is due to its owner, for as long as patience lasts",
              leaves_what_is_due_to_its_owner),
        WATCH("lets anybody ask once its owner has left", lets_anybody_ask_when_its_owner_leaves),
        WATCH("wakes its owner, or another one that rests when the owner cannot ask",
              wakes_its_owner_or_another_one_that_rests),
        WATCH("wakes the deputy of a new owner to look after it",
              wakes_a_new_owners_deputy_to_look_after_it),
        WATCH("wakes nobody for what was known to be due", wakes_nobody_for_what_is_known),
        WATCH("has another one look when its owner leaves",
              hands_the_look_on_when_its_owner_leaves),
        WATCH("lets one of several threads ask", several_threads_never_ask_twice),
        WATCH("loses no wake-up between threads that make due, rest and leave", loses_no_wake_up),
    };
    return cmocka_run_group_tests_name("due_watch", tests, NULL, NULL);
}
