/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdio.h>

#include "lib/net/event_loop.h"

#include "service/outbound/outcome_watch.h"

#include "tests/support/specification.h"

enum { MANY = 200 };

static struct outcome_watch watch;
static struct event_loop *loop;

static int begin(void **state)
{
    (void)state;
    outcome_watch_init(&watch);
    loop = event_loop_create(NULL);
    return loop == NULL;
}

static int end(void **state)
{
    (void)state;
    outcome_watch_fini(&watch);
    event_loop_destroy(loop);
    return 0;
}

static bool is_woken(void)
{
    struct pollfd woken = {.fd = event_loop_fd(loop), .events = POLLIN};
    bool is_ready = poll(&woken, 1, 0) == 1;
    event_loop_poll(loop, 0);
    return is_ready;
}

static void calls_who_waits_for_the_application(void **state)
{
    (void)state;
    static char ids[MANY][16];
    static _Atomic bool calls[MANY];
    static struct outcome_waiter waiters[MANY];
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "A-%d", i / 2); /* two for each */
        atomic_store(&calls[i], false);
        waiters[i] =
            (struct outcome_waiter){.application_id = ids[i], .loop = loop, .is_called = &calls[i]};
        outcome_watch_add(&watch, &waiters[i]);
    }
    outcome_watch_note(&watch, "B");
    assert_false(is_woken());
    outcome_watch_note(&watch, "A-7");
    assert_true(is_woken());
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(atomic_load(&calls[i]), i / 2 == 7);
        outcome_watch_remove(&watch, &waiters[i]);
    }
    atomic_store(&calls[14], false);
    outcome_watch_note(&watch, "A-7"); /* nobody is there any more */
    assert_false(atomic_load(&calls[14]));
    assert_false(is_woken());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("calls all who wait for an application, wakes them, and nobody else",
                calls_who_waits_for_the_application, begin, end),
    };
    return cmocka_run_group_tests_name("outcome_watch", tests, NULL, NULL);
}
