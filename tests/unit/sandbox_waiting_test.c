/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "service/sandbox/waiting.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

static void gives_the_soonest_first(void **state)
{
    (void)state;
    struct waiting waiting;
    struct sandbox_wait waits[3] = {0};
    waiting_init(&waiting);
    assert_int_equal(waiting_timeout_ms(&waiting, 0), -1);
    assert_true(waiting_add(&waiting, &waits[0], 30, NULL));
    assert_true(waiting_add(&waiting, &waits[1], 10, NULL));
    assert_true(waiting_add(&waiting, &waits[2], 20, NULL));
    assert_int_equal(waiting_timeout_ms(&waiting, 4), 6);
    assert_int_equal(waiting_timeout_ms(&waiting, 40), 0);
    assert_null(waiting_take_due(&waiting, 9));
    assert_ptr_equal(waiting_take_due(&waiting, 25), &waits[1]);
    assert_ptr_equal(waiting_take_due(&waiting, 25), &waits[2]);
    assert_null(waiting_take_due(&waiting, 25));
    assert_ptr_equal(waiting_take_due(&waiting, 30), &waits[0]);
    assert_int_equal(waiting_timeout_ms(&waiting, 0), -1);
    waiting_fini(&waiting);
}

static void keeps_what_waits_forever_until_it_is_released(void **state)
{
    (void)state;
    struct waiting waiting;
    struct sandbox_wait waits[5] = {0};
    waiting_init(&waiting);
    for (size_t i = 0; i < 5; i++)
        assert_true(waiting_add(&waiting, &waits[i], i % 2 == 0 ? WAIT_FOREVER : 1000, NULL));
    waiting_remove(&waiting, &waits[1]);
    waiting_remove(&waiting, &waits[1]); /* not waiting any more: nothing */
    assert_int_equal(waiting_timeout_ms(&waiting, 0), 1000);
    assert_null(waiting_take_due(&waiting, 999));
    waiting_release(&waiting);
    assert_int_equal(waiting_timeout_ms(&waiting, 500), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(waiting_take_due(&waiting, 0)->position, 0);
    assert_null(waiting_take_due(&waiting, 999));
    assert_ptr_equal(waiting_take_due(&waiting, 1000), &waits[3]);
    waiting_fini(&waiting);
}

/* A small generator, so that the order is a different mess each time and the same in every run. */
static uint32_t next_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void stays_in_order_whatever_is_added_and_removed(void **state)
{
    (void)state;
    enum { WAITS = 300, STEPS = 20000 };
    struct sandbox_wait *waits = calloc(WAITS, sizeof *waits);
    struct waiting waiting;
    uint32_t seed = 1;
    waiting_init(&waiting);
    for (int step = 0; step < STEPS; step++) {
        struct sandbox_wait *wait = &waits[next_number(&seed) % WAITS];
        if (wait->position == 0)
            assert_true(waiting_add(&waiting, wait, next_number(&seed) % 50, NULL));
        else
            waiting_remove(&waiting, wait);
        for (size_t i = 0; i < waiting.count; i++) {
            assert_int_equal(waiting.heap[i]->position, i + 1);
            assert_true(i == 0 || waiting.heap[(i - 1) / 2]->due_ms <= waiting.heap[i]->due_ms);
        }
    }
    waiting_fini(&waiting);
    free(waits);
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
    struct waiting waiting;
    struct sandbox_wait wait = {.owner = NULL};
    struct error error;
    waiting_init(&waiting);
    failing_malloc_arm(0);
    assert_false(waiting_add(&waiting, &wait, 1, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
    assert_int_equal(wait.position, 0);
    waiting_remove(&waiting, &wait);
    waiting_fini(&waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives the soonest first", gives_the_soonest_first),
        IT("keeps what waits forever until it is released",
           keeps_what_waits_forever_until_it_is_released),
        IT("stays in order whatever is added and removed",
           stays_in_order_whatever_is_added_and_removed),
        IT("says when memory is out", says_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("sandbox_waiting", tests, NULL, NULL);
}
