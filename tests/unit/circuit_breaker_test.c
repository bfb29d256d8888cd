/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/circuit_breaker.h"

#include "tests/support/specification.h"

enum { FAILURES = 3, WAIT_MS = 100, WAIT_MAX_MS = 350, START_MS = 5000 };

static struct circuit_breaker breaker_after(unsigned failures)
{
    struct circuit_breaker breaker;
    circuit_breaker_init(&breaker, FAILURES, 0, WAIT_MS, WAIT_MAX_MS);
    for (unsigned i = 0; i < failures; i++)
        circuit_breaker_fail(&breaker, false, START_MS);
    return breaker;
}

static void must_allow(struct circuit_breaker *breaker)
{
    int64_t wait_ms = -1;
    assert_int_equal(circuit_breaker_ask(breaker, START_MS, &wait_ms), BREAKER_ALLOWS);
    assert_int_equal(wait_ms, -1);
}

static void must_refuse(struct circuit_breaker *breaker, int64_t now_ms, int64_t expected_wait_ms)
{
    int64_t wait_ms = -1;
    assert_int_equal(circuit_breaker_ask(breaker, now_ms, &wait_ms), BREAKER_REFUSES);
    assert_int_equal(wait_ms, expected_wait_ms);
}

static void must_probe(struct circuit_breaker *breaker, int64_t now_ms)
{
    int64_t wait_ms = -1;
    assert_int_equal(circuit_breaker_ask(breaker, now_ms, &wait_ms), BREAKER_ALLOWS_ONE);
    assert_int_equal(breaker->state, BREAKER_PROBING);
}

static void stays_closed_below_the_limit(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES - 1);
    must_allow(&breaker);
}

static void a_success_ends_the_run(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES - 1);
    circuit_breaker_succeed(&breaker);
    circuit_breaker_fail(&breaker, false, START_MS);
    must_allow(&breaker);
}

static void opens_at_the_limit(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    assert_int_equal(breaker.state, BREAKER_OPEN);
    must_refuse(&breaker, START_MS, WAIT_MS);
    must_refuse(&breaker, START_MS + WAIT_MS - 1, 1);
}

static void probes_one_at_a_time(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    must_probe(&breaker, START_MS + WAIT_MS);
    must_refuse(&breaker, START_MS + WAIT_MS, WAIT_MS);
    must_refuse(&breaker, START_MS + 100 * WAIT_MS, WAIT_MS);
}

static void closes_after_a_good_probe(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    must_probe(&breaker, START_MS + WAIT_MS);
    circuit_breaker_succeed(&breaker);
    must_allow(&breaker);
    circuit_breaker_fail(&breaker, false, START_MS);
    must_allow(&breaker);
}

static void waits_longer_after_each_failed_probe(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    static const int64_t waits[] = {200, 350, 350, 350};
    int64_t now_ms = START_MS + WAIT_MS;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        must_probe(&breaker, now_ms);
        circuit_breaker_fail(&breaker, false, now_ms);
        must_refuse(&breaker, now_ms, waits[i]);
        now_ms += waits[i];
    }
}

static void begins_again_with_the_first_wait(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    must_probe(&breaker, START_MS + WAIT_MS);
    circuit_breaker_fail(&breaker, false, START_MS + WAIT_MS);
    must_probe(&breaker, START_MS + 3 * WAIT_MS);
    circuit_breaker_succeed(&breaker);
    for (unsigned i = 0; i < FAILURES; i++)
        circuit_breaker_fail(&breaker, false, START_MS);
    must_refuse(&breaker, START_MS, WAIT_MS);
}

static void an_unused_probe_may_be_repeated_at_once(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    must_probe(&breaker, START_MS + WAIT_MS);
    circuit_breaker_withdraw(&breaker);
    must_probe(&breaker, START_MS + WAIT_MS);
}

static void late_failures_do_not_lengthen_the_wait(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    circuit_breaker_fail(&breaker, false, START_MS + 50);
    must_refuse(&breaker, START_MS + 50, WAIT_MS - 50);
}

static void opens_early_in_a_silence_that_lasts(void **state)
{
    (void)state;
    static const struct {
        unsigned failures;
        int64_t over_ms;
        bool is_silent;
        enum breaker_state expected;
    } rows[] = {
        {CIRCUIT_BREAKER_FEW, 1000, true, BREAKER_OPEN},
        {CIRCUIT_BREAKER_FEW, 999, true, BREAKER_CLOSED},
        {CIRCUIT_BREAKER_FEW - 1, 60000, true, BREAKER_CLOSED},
        {CIRCUIT_BREAKER_FEW, 60000, false, BREAKER_CLOSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct circuit_breaker breaker;
        circuit_breaker_init(&breaker, 100, 1000, WAIT_MS, WAIT_MAX_MS);
        circuit_breaker_fail(&breaker, true, 0);
        circuit_breaker_succeed(&breaker); /* the silence begins anew */
        for (unsigned n = 1; n < rows[i].failures; n++)
            circuit_breaker_fail(&breaker, rows[i].is_silent, START_MS);
        circuit_breaker_fail(&breaker, rows[i].is_silent, START_MS + rows[i].over_ms);
        assert_int_equal(breaker.state, rows[i].expected);
    }
}

static void a_late_success_closes(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES);
    circuit_breaker_succeed(&breaker);
    must_allow(&breaker);
}

static void withdrawing_while_closed_changes_nothing(void **state)
{
    (void)state;
    struct circuit_breaker breaker = breaker_after(FAILURES - 1);
    circuit_breaker_withdraw(&breaker);
    must_allow(&breaker);
    circuit_breaker_fail(&breaker, false, START_MS);
    assert_int_equal(breaker.state, BREAKER_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("stays closed below the limit", stays_closed_below_the_limit),
        IT("counts failures in a row: a success ends the run", a_success_ends_the_run),
        IT("opens at the limit and says how long to wait", opens_at_the_limit),
        IT("lets one probe through when the wait is over, and no second one", probes_one_at_a_time),
        IT("closes after a good probe, with a clean slate", closes_after_a_good_probe),
        IT("waits twice as long after each failed probe, up to the maximum",
           waits_longer_after_each_failed_probe),
        IT("begins again with the first wait after it was closed",
           begins_again_with_the_first_wait),
        IT("allows the next probe at once when one was not used",
           an_unused_probe_may_be_repeated_at_once),
        IT("opens after a few failures when SEEK says nothing for some time",
           opens_early_in_a_silence_that_lasts),
        IT("ignores failures of requests that were sent before it opened",
           late_failures_do_not_lengthen_the_wait),
        IT("closes when a request that was sent before it opened succeeds", a_late_success_closes),
        IT("takes no notice of unused places while closed",
           withdrawing_while_closed_changes_nothing),
    };
    return cmocka_run_group_tests_name("circuit_breaker", tests, NULL, NULL);
}
