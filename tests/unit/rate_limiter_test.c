/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/rate_limiter.h"

#include "tests/support/specification.h"

static struct rate_limiter limiter_of(unsigned per_second)
{
    struct rate_limiter limiter;
    rate_limiter_init(&limiter, per_second, 0);
    return limiter;
}

static void zero_is_no_limit(void **state)
{
    (void)state;
    struct rate_limiter limiter = limiter_of(0);
    int64_t wait_ms = -1;
    assert_int_equal(rate_limiter_take(&limiter, 100000, 0, &wait_ms), 100000);
    rate_limiter_return(&limiter, 5);
    assert_int_equal(wait_ms, -1);
}

static void gives_a_tenth_of_a_second_at_once(void **state)
{
    (void)state;
    struct rate_limiter limiter = limiter_of(200);
    int64_t wait_ms = -1;
    assert_int_equal(rate_limiter_take(&limiter, 1000, 0, &wait_ms), 20);
    assert_int_equal(rate_limiter_take(&limiter, 1000, 0, &wait_ms), 0);
    assert_int_equal(wait_ms, 5);
}

static void gives_no_more_than_wanted(void **state)
{
    (void)state;
    struct rate_limiter limiter = limiter_of(200);
    int64_t wait_ms;
    assert_int_equal(rate_limiter_take(&limiter, 3, 0, &wait_ms), 3);
    assert_int_equal(rate_limiter_take(&limiter, 1000, 0, &wait_ms), 17);
}

static void does_not_save_up(void **state)
{
    (void)state;
    struct rate_limiter limiter = limiter_of(200);
    int64_t wait_ms;
    assert_int_equal(rate_limiter_take(&limiter, 1000, 3600 * 1000, &wait_ms), 20);
}

static void takes_back(void **state)
{
    (void)state;
    struct rate_limiter limiter = limiter_of(200);
    int64_t wait_ms;
    assert_int_equal(rate_limiter_take(&limiter, 20, 0, &wait_ms), 20);
    rate_limiter_return(&limiter, 7);
    assert_int_equal(rate_limiter_take(&limiter, 20, 0, &wait_ms), 7);
    rate_limiter_return(&limiter, 1000);
    assert_int_equal(rate_limiter_take(&limiter, 1000, 0, &wait_ms), 20);
}

static void survives_a_clock_that_stands_still(void **state)
{
    (void)state;
    struct rate_limiter limiter = limiter_of(1);
    int64_t wait_ms;
    assert_int_equal(rate_limiter_take(&limiter, 1, 500, &wait_ms), 1);
    assert_int_equal(rate_limiter_take(&limiter, 1, 100, &wait_ms), 0);
    assert_int_equal(rate_limiter_take(&limiter, 1, 1499, &wait_ms), 0);
    assert_int_equal(wait_ms, 1);
    assert_int_equal(rate_limiter_take(&limiter, 1, 1500, &wait_ms), 1);
}

/* For each rate: taking one whenever one is there, after exactly the wait that was named, gives the
 * rate over ten seconds and no more; the wait is never zero and never one too long. */
static void keeps_the_rate_exactly(void **state)
{
    (void)state;
    static const unsigned rates[] = {1, 2, 3, 7, 10, 49, 99, 100, 333, 999, 1000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct rate_limiter limiter = limiter_of(rates[i]);
        uint64_t taken = 0;
        int64_t now_ms = 0;
        while (now_ms < 10000) {
            int64_t wait_ms = 0;
            size_t count = rate_limiter_take(&limiter, 1, now_ms, &wait_ms);
            taken += count;
            if (count > 0)
                continue;
            assert_in_range(wait_ms, 1, 1000);
            struct rate_limiter copy = limiter;
            int64_t ignored;
            assert_int_equal(rate_limiter_take(&copy, 1, now_ms + wait_ms - 1, &ignored), 0);
            now_ms += wait_ms;
        }
        unsigned burst = rates[i] / 10 > 0 ? rates[i] / 10 : 1;
        assert_in_range(taken, 10 * rates[i] - 1, 10 * rates[i] + burst);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has no limit at zero", zero_is_no_limit),
        IT("gives a tenth of a second's worth at once, then names the wait",
           gives_a_tenth_of_a_second_at_once),
        IT("gives no more than wanted", gives_no_more_than_wanted),
        IT("does not save up while nothing is sent", does_not_save_up),
        IT("takes back what was not used, up to its capacity", takes_back),
        IT("survives a clock that stands still or goes back", survives_a_clock_that_stands_still),
        IT("keeps any rate exactly, and names waits that are neither short nor long",
           keeps_the_rate_exactly),
    };
    return cmocka_run_group_tests_name("rate_limiter", tests, NULL, NULL);
}
