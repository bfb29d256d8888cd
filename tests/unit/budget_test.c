/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdint.h>

#include "lib/base/budget.h"

#include "tests/support/specification.h"

static void gives_what_is_left_and_no_more(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 100);
    assert_true(budget_take(&budget, 60));
    assert_false(budget_take(&budget, 41));
    assert_false(budget_take(&budget, SIZE_MAX));
    assert_true(budget_take(&budget, 40));
    assert_false(budget_take(&budget, 1));
    assert_true(budget_take(&budget, 0));
    assert_int_equal(budget_used(&budget), 100);
    budget_give(&budget, 60);
    assert_true(budget_take(&budget, 60));
    budget_give(&budget, 100);
    assert_int_equal(budget_used(&budget), 0);
}

enum { ROUNDS = 20000, PART = 30 };

static void *take_and_give(void *context)
{
    struct budget *budget = context;
    for (int i = 0; i < ROUNDS; i++) {
        if (!budget_take(budget, PART))
            continue;
        if (budget_used(budget) > budget->max)
            return budget;
        budget_give(budget, PART);
    }
    return NULL;
}

static void is_shared_by_threads(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, 100); /* for three of the four */
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &budget), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    assert_int_equal(budget_used(&budget), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives what is left and no more", gives_what_is_left_and_no_more),
        IT("is shared by threads", is_shared_by_threads),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
