/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <time.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"

static void the_monotonic_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();
    assert_true(ms >= us / 1000 && ms <= clock_monotonic_us() / 1000);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_us();
        assert_true(now >= us);
        us = now;
    }
}

static void the_wall_clock_is_the_system_s(void **state)
{
    (void)state;
    int64_t before = time(NULL);
    int64_t ms = clock_wall_ms();
    /* time(2) may lag behind by a tick of the kernel. */
    assert_true(ms >= before * 1000 && ms < (before + 60) * 1000);
}

static void compares_waits(void **state)
{
    (void)state;
    assert_int_equal(clock_sooner_ms(3, 5), 3);
    assert_int_equal(clock_sooner_ms(5, 0), 0);
    assert_int_equal(clock_sooner_ms(-1, 5), 5);
    assert_int_equal(clock_sooner_ms(5, -1), 5);
    assert_int_equal(clock_sooner_ms(-1, -1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has a monotonic clock that does not go back", the_monotonic_clock_does_not_go_back),
        IT("has the system's wall clock", the_wall_clock_is_the_system_s),
        IT("tells the shorter of two waits, where -1 is for ever", compares_waits),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
