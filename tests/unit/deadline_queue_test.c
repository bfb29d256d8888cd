/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/deadline_queue.h"

#include "tests/support/specification.h"

static void has_nothing_due_when_empty(void **state)
{
    (void)state;
    struct deadline_queue queue = {.duration_ms = 100};

    assert_null(deadline_queue_take_due(&queue, INT64_MAX));
    assert_int_equal(deadline_queue_wait_ms(&queue, 5), -1);
}

static void is_due_at_its_time(void **state)
{
    (void)state;
    struct deadline_queue queue = {.duration_ms = 100};
    struct deadline deadline = {.queue = NULL};

    deadline_set(&deadline, &queue, 1000);

    assert_int_equal(deadline_queue_wait_ms(&queue, 1030), 70);
    assert_null(deadline_queue_take_due(&queue, 1099));
    assert_int_equal(deadline_queue_wait_ms(&queue, 1200), 0);
    assert_ptr_equal(deadline_queue_take_due(&queue, 1100), &deadline);
    assert_null(deadline_queue_take_due(&queue, 1100));
}

static void gives_the_earliest_first(void **state)
{
    (void)state;
    struct deadline_queue queue = {.duration_ms = 10};
    struct deadline deadlines[3] = {{.queue = NULL}};
    for (int i = 0; i < 3; i++)
        deadline_set(&deadlines[i], &queue, i);

    deadline_set(&deadlines[0], &queue, 3); /* again: now the last */

    assert_ptr_equal(deadline_queue_take_due(&queue, 100), &deadlines[1]);
    assert_ptr_equal(deadline_queue_take_due(&queue, 100), &deadlines[2]);
    assert_ptr_equal(deadline_queue_take_due(&queue, 100), &deadlines[0]);
    assert_null(deadline_queue_take_due(&queue, 100));
}

static void can_be_cleared_anywhere(void **state)
{
    (void)state;
    for (int cleared = 0; cleared < 3; cleared++) {
        struct deadline_queue queue = {.duration_ms = 10};
        struct deadline deadlines[3] = {{.queue = NULL}};
        for (int i = 0; i < 3; i++)
            deadline_set(&deadlines[i], &queue, i);

        deadline_clear(&deadlines[cleared]);
        deadline_clear(&deadlines[cleared]);

        for (int i = 0; i < 3; i++) {
            if (i != cleared)
                assert_ptr_equal(deadline_queue_take_due(&queue, 100), &deadlines[i]);
        }
        assert_null(deadline_queue_take_due(&queue, 100));
    }
}

static void moves_between_queues(void **state)
{
    (void)state;
    struct deadline_queue slow = {.duration_ms = 1000};
    struct deadline_queue quick = {.duration_ms = 10};
    struct deadline deadline = {.queue = NULL};

    deadline_set(&deadline, &slow, 0);
    deadline_set(&deadline, &quick, 0);

    assert_int_equal(deadline_queue_wait_ms(&slow, 0), -1);
    assert_int_equal(deadline_queue_wait_ms(&quick, 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has nothing due when it is empty", has_nothing_due_when_empty),
        IT("gives a deadline at its time, once, and says how long to wait", is_due_at_its_time),
        IT("gives the earliest first; setting again puts at the end", gives_the_earliest_first),
        IT("lets a deadline be cleared anywhere, and twice", can_be_cleared_anywhere),
        IT("moves a deadline that is set in another queue", moves_between_queues),
    };
    return cmocka_run_group_tests_name("deadline_queue", tests, NULL, NULL);
}
