/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/in_flight_limit.h"

#include "tests/support/specification.h"

static struct in_flight_limit limit_of(unsigned max)
{
    struct in_flight_limit limit;
    in_flight_limit_init(&limit, max);
    return limit;
}

static void succeed(struct in_flight_limit *limit, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        in_flight_limit_succeed(limit);
}

static void starts_at_the_maximum(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(64);
    assert_int_equal(limit.current, 64);
    succeed(&limit, 1000);
    assert_int_equal(limit.current, 64);
}

static void halves_under_strain(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(64);
    in_flight_limit_strain(&limit, 0);
    assert_int_equal(limit.current, 32);
}

static void halves_once_per_second(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(64);
    for (int64_t now_ms = 0; now_ms < 1000; now_ms += 10)
        in_flight_limit_strain(&limit, now_ms);
    assert_int_equal(limit.current, 32);
    in_flight_limit_strain(&limit, 1000);
    assert_int_equal(limit.current, 16);
}

static void is_never_under_one(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(5);
    for (int64_t now_ms = 0; now_ms < 20000; now_ms += 1000)
        in_flight_limit_strain(&limit, now_ms);
    assert_int_equal(limit.current, 1);
}

static void grows_by_one_per_window(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(64);
    in_flight_limit_strain(&limit, 0);
    succeed(&limit, 31);
    assert_int_equal(limit.current, 32);
    succeed(&limit, 1);
    assert_int_equal(limit.current, 33);
    succeed(&limit, 33);
    assert_int_equal(limit.current, 34);
}

static void strain_ends_the_window(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(64);
    in_flight_limit_strain(&limit, 0);
    succeed(&limit, 31);
    in_flight_limit_strain(&limit, 1);
    succeed(&limit, 31);
    assert_int_equal(limit.current, 32);
}

static void comes_back_to_the_maximum(void **state)
{
    (void)state;
    struct in_flight_limit limit = limit_of(8);
    for (int64_t now_ms = 0; now_ms < 20000; now_ms += 1000)
        in_flight_limit_strain(&limit, now_ms);
    succeed(&limit, 1 + 2 + 3 + 4 + 5 + 6 + 7);
    assert_int_equal(limit.current, 8);
    succeed(&limit, 100);
    assert_int_equal(limit.current, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("starts at the maximum and does not pass it", starts_at_the_maximum),
        IT("halves under strain", halves_under_strain),
        IT("halves once per second, however many fail together", halves_once_per_second),
        IT("is never under one", is_never_under_one),
        IT("grows by one per window of successes", grows_by_one_per_window),
        IT("begins a new window after strain", strain_ends_the_window),
        IT("comes back to the maximum", comes_back_to_the_maximum),
    };
    return cmocka_run_group_tests_name("in_flight_limit", tests, NULL, NULL);
}
