/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <limits.h>

#include "service/domain/retry_policy.h"

#include "tests/support/specification.h"

static const int64_t DAY_MS = INT64_C(86400000);
static const struct retry_policy policy = {
    .base_ms = 1000, .max_ms = 900000, .age_max_ms = INT64_C(1209600000)};

/* A fixed sequence (xorshift, Marsaglia 2003), so that a failure repeats. */
static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);
static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static struct retry_decision decide(enum verdict_class class, int64_t retry_after_ms,
                                    struct attempt_facts facts, uint64_t random)
{
    const struct verdict verdict = {.class = class, .retry_after_ms = retry_after_ms};
    return retry_policy_decide(&policy, &facts, &verdict, random);
}

static void decides_by_the_table(void **state)
{
    (void)state;
    const int64_t limit = policy.age_max_ms;
    static const int64_t none = -1;
    const struct {
        enum verdict_class class;
        int64_t retry_after_ms;
        struct attempt_facts facts;
        uint64_t random;
        enum retry_action action;
        int64_t delay_ms;
    } cases[] = {
        {VERDICT_DELIVERED, none, {1, 0, false, 0}, 0, RETRY_DONE, 0},
        {VERDICT_DELIVERED, none, {1, limit + 1, false, 0}, 0, RETRY_DONE, 0},
        {VERDICT_REFUSED, none, {1, 0, false, 0}, 500, RETRY_DEAD, 0},
        {VERDICT_REFUSED, 1000, {1, 0, false, 0}, 500, RETRY_DEAD, 0},

        {VERDICT_TRANSIENT, none, {1, 0, false, 0}, 0, RETRY_LATER, 1},
        {VERDICT_TRANSIENT, none, {1, 0, false, 0}, 1000, RETRY_LATER, 1000},
        {VERDICT_TRANSIENT, none, {1, 0, false, 0}, 1001, RETRY_LATER, 1},
        {VERDICT_TRANSIENT, none, {2, 0, false, 0}, 2000, RETRY_LATER, 2000},
        {VERDICT_TRANSIENT, none, {10, 0, false, 0}, 512000, RETRY_LATER, 512000},
        {VERDICT_TRANSIENT, none, {11, 0, false, 0}, 900000, RETRY_LATER, 900000},
        {VERDICT_TRANSIENT, none, {UINT_MAX, 0, false, 0}, 900000, RETRY_LATER, 900000},
        {VERDICT_TRANSIENT, none, {UINT_MAX, 0, false, 0}, 900001, RETRY_LATER, 1},
        {VERDICT_TRANSIENT, none, {0, 0, false, 0}, 1000, RETRY_LATER, 1000},
        {VERDICT_MISCONFIGURED, none, {1, 0, false, 0}, 700, RETRY_LATER, 700},
        {VERDICT_THROTTLED, none, {1, 0, false, 0}, 700, RETRY_LATER, 700},

        /* SEEK may have it: half of the ceiling at least, and that is a minute at first. */
        {VERDICT_UNREADABLE, none, {1, 0, false, 0}, 0, RETRY_LATER, 30000},
        {VERDICT_UNREADABLE, none, {1, 0, false, 0}, 30000, RETRY_LATER, 60000},
        {VERDICT_UNREADABLE, none, {1, 0, false, 0}, 30001, RETRY_LATER, 30000},
        {VERDICT_UNREADABLE, none, {2, 0, false, 0}, 0, RETRY_LATER, 120000},
        {VERDICT_UNREADABLE, none, {5, 0, false, 0}, 0, RETRY_LATER, 7680000},
        {VERDICT_UNREADABLE, none, {6, 0, false, 0}, 0, RETRY_LATER, 10800000},
        {VERDICT_UNREADABLE, none, {UINT_MAX, 0, false, 0}, 10800000, RETRY_LATER, 21600000},
        {VERDICT_UNREADABLE, 90000, {1, 0, false, 500}, 0, RETRY_LATER, 120000},
        {VERDICT_UNREADABLE, none, {1, 0, false, 500}, 0, RETRY_LATER, 30000},
        {VERDICT_UNREADABLE, none, {1, limit + 1, false, 0}, 0, RETRY_DEAD, 0},

        /* Retry-After is a floor. */
        {VERDICT_THROTTLED, 30000, {1, 0, false, 0}, 0, RETRY_LATER, 30001},
        {VERDICT_THROTTLED, 30000, {1, 0, false, 0}, 700, RETRY_LATER, 30700},
        {VERDICT_TRANSIENT, 30000, {1, 0, false, 0}, 700, RETRY_LATER, 30700},
        {VERDICT_TRANSIENT, 0, {1, 0, false, 0}, 0, RETRY_LATER, 1},
        {VERDICT_THROTTLED, 900000, {1, 0, false, 0}, 700, RETRY_LATER, 900700},
        {VERDICT_THROTTLED, DAY_MS, {1, 0, false, 0}, 700, RETRY_LATER, 900700},

        /* One retry at once with a new access token. */
        {VERDICT_AUTH, none, {1, 0, false, 0}, 700, RETRY_LATER, 0},
        {VERDICT_AUTH, none, {2, 0, true, 0}, 700, RETRY_LATER, 700},
        {VERDICT_AUTH, none, {3, 0, true, 0}, 2500, RETRY_LATER, 2500},
        {VERDICT_AUTH, none, {9, 0, false, 0}, 700, RETRY_LATER, 0},
        {VERDICT_AUTH, 5000, {1, 0, false, 0}, 700, RETRY_LATER, 5000},

        /* Bounded by age, not by count. */
        {VERDICT_TRANSIENT, none, {4000000000u, limit, false, 0}, 5, RETRY_LATER, 5},
        {VERDICT_TRANSIENT, none, {1, limit + 1, false, 0}, 5, RETRY_DEAD, 0},
        {VERDICT_THROTTLED, 1000, {1, limit + 1, false, 0}, 5, RETRY_DEAD, 0},
        {VERDICT_AUTH, none, {1, limit + 1, false, 0}, 5, RETRY_DEAD, 0},
        {VERDICT_MISCONFIGURED, none, {1, limit + 1, false, 0}, 5, RETRY_DEAD, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct retry_decision decision =
            decide(cases[i].class, cases[i].retry_after_ms, cases[i].facts, cases[i].random);
        assert_int_equal(decision.action, cases[i].action);
        assert_int_equal(decision.delay_ms, cases[i].delay_ms);
    }
}

static void waits_no_longer_than_an_outage(void **state)
{
    (void)state;
    static const struct {
        enum verdict_class class;
        bool has_errors;
        int64_t retry_after_ms, outage_pause_ms;
        int64_t delay_ms;
    } cases[] = {
        {VERDICT_TRANSIENT, false, -1, 2000, 2000},
        {VERDICT_TRANSIENT, false, -1, 0, 400000},
        {VERDICT_TRANSIENT, false, -1, 500000, 400000},
        {VERDICT_TRANSIENT, false, 30000, 2000, 430000}, /* somebody asked for it */
        {VERDICT_TRANSIENT, true, -1, 2000, 400000},     /* perhaps this signal's own trouble */
        {VERDICT_MISCONFIGURED, false, -1, 2000, 400000},
        {VERDICT_THROTTLED, false, -1, 2000, 400000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct verdict verdict = {.class = cases[i].class,
                                        .has_errors = cases[i].has_errors,
                                        .retry_after_ms = cases[i].retry_after_ms};
        const struct attempt_facts facts = {.attempt = 12,
                                            .outage_pause_ms = cases[i].outage_pause_ms};
        assert_int_equal(retry_policy_decide(&policy, &facts, &verdict, 400000).delay_ms,
                         cases[i].delay_ms);
    }
}

static void stays_within_its_bounds(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t base_ms = 1 + (int64_t)(next_random() % 100000);
        int64_t max_ms = 1 + (int64_t)(next_random() % (uint64_t)DAY_MS);
        unsigned attempt = (unsigned)(next_random() >> (next_random() % 64));
        int64_t delay_ms = retry_policy_backoff_ms(base_ms, max_ms, attempt, next_random());
        assert_in_range(delay_ms, 1, max_ms);
        if (attempt <= 40) {
            uint64_t doubled = (uint64_t)base_ms << (attempt > 0 ? attempt - 1 : 0);
            assert_in_range(delay_ms, 1, doubled);
        }
    }
}

static void survives_the_largest_numbers(void **state)
{
    (void)state;
    static const unsigned attempts[] = {0, 1, 2, 62, 63, 64, 65, UINT_MAX};
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        assert_in_range(retry_policy_backoff_ms(1, INT64_MAX, attempts[i], UINT64_MAX), 1,
                        INT64_MAX);
        assert_in_range(retry_policy_backoff_ms(INT64_MAX, INT64_MAX, attempts[i], INT64_MAX), 1,
                        INT64_MAX);
        assert_int_equal(retry_policy_backoff_ms(1, 1, attempts[i], UINT64_MAX), 1);
    }
}

static void never_asks_before_retry_after(void **state)
{
    (void)state;
    static const enum verdict_class classes[] = {VERDICT_TRANSIENT, VERDICT_THROTTLED, VERDICT_AUTH,
                                                 VERDICT_MISCONFIGURED};
    for (int i = 0; i < 200000; i++) {
        int64_t retry_after_ms = (int64_t)(next_random() % (uint64_t)(DAY_MS + 1));
        struct attempt_facts facts = {.attempt = 1 + (unsigned)(next_random() % 30),
                                      .age_ms = (int64_t)(next_random() % (uint64_t)DAY_MS),
                                      .was_auth_before = next_random() % 2 == 0};
        struct retry_decision decision =
            decide(classes[i % 4], retry_after_ms, facts, next_random());
        assert_int_equal(decision.action, RETRY_LATER);
        int64_t floor_ms = retry_after_ms < policy.max_ms ? retry_after_ms : policy.max_ms;
        assert_in_range(decision.delay_ms, floor_ms, floor_ms + policy.max_ms);
    }
}

static void believes_minutes_whatever_the_maximum(void **state)
{
    (void)state;
    const struct retry_policy quick = {.base_ms = 1, .max_ms = 200, .age_max_ms = DAY_MS};
    const struct attempt_facts facts = {.attempt = 1};
    const struct {
        int64_t retry_after_ms, delay_ms;
    } cases[] = {{2000, 2001},
                 {RETRY_AFTER_TRUSTED_MS, RETRY_AFTER_TRUSTED_MS + 1},
                 {DAY_MS, RETRY_AFTER_TRUSTED_MS + 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct verdict verdict = {.class = VERDICT_THROTTLED,
                                        .retry_after_ms = cases[i].retry_after_ms};
        assert_int_equal(retry_policy_decide(&quick, &facts, &verdict, 1).delay_ms,
                         cases[i].delay_ms);
    }
}

/* Full jitter is uniform: each tenth of the range gets a tenth of the delays, within six standard
 * deviations of a binomial distribution (about 570 of 10,000). */
static void spreads_over_the_whole_range(void **state)
{
    (void)state;
    enum { DELAYS = 100000, TENTHS = 10, EXPECTED = DELAYS / TENTHS, TOLERANCE = 570 };
    int counts[TENTHS] = {0};
    for (int i = 0; i < DELAYS; i++) {
        int64_t delay_ms = retry_policy_backoff_ms(1000, 900000, 8, next_random());
        assert_in_range(delay_ms, 1, 128000);
        counts[(delay_ms - 1) * TENTHS / 128000]++;
    }
    for (int i = 0; i < TENTHS; i++)
        assert_in_range(counts[i], EXPECTED - TOLERANCE, EXPECTED + TOLERANCE);
}

/* Attempts at exactly the times that it names end, and not before the age bound. */
static void ends_by_age_alone(void **state)
{
    (void)state;
    for (int run = 0; run < 20; run++) {
        struct attempt_facts facts = {.attempt = 1};
        struct retry_decision decision = decide(VERDICT_TRANSIENT, -1, facts, next_random());
        while (decision.action == RETRY_LATER) {
            assert_true(decision.delay_ms > 0);
            facts.age_ms += decision.delay_ms;
            facts.attempt++;
            decision = decide(VERDICT_TRANSIENT, -1, facts, next_random());
        }
        assert_int_equal(decision.action, RETRY_DEAD);
        assert_in_range(facts.age_ms, policy.age_max_ms + 1, policy.age_max_ms + policy.max_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("decides by class, attempt, age and Retry-After", decides_by_the_table),
        IT("waits in an outage only until SEEK is asked again", waits_no_longer_than_an_outage),
        IT("never waits longer than the doubled base or the maximum, and at least 1 ms",
           stays_within_its_bounds),
        IT("does not overflow", survives_the_largest_numbers),
        IT("takes Retry-After as a floor: jitter goes up only", never_asks_before_retry_after),
        IT("believes a Retry-After of minutes even with shorter pauses of its own",
           believes_minutes_whatever_the_maximum),
        IT("spreads the delays evenly from zero to the ceiling", spreads_over_the_whole_range),
        IT("gives up by age, never by the number of attempts", ends_by_age_alone),
    };
    return cmocka_run_group_tests_name("retry_policy", tests, NULL, NULL);
}
