/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/claim_limit.h"

#include "tests/support/specification.h"

enum { DOUBLE_AFTER = 32 };

static int begin(void **state)
{
    static struct claim_limit limit;
    claim_limit_init(&limit);
    *state = &limit;
    return 0;
}

static void succeed(struct claim_limit *limit, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        claim_limit_succeed(limit);
}

static void starts_at_the_maximum(void **state)
{
    struct claim_limit *limit = *state;
    assert_int_equal(limit->current, CLAIM_LIMIT_MAX);
    succeed(limit, 1000);
    assert_int_equal(limit->current, CLAIM_LIMIT_MAX);
}

static void halves_what_was_asked_for(void **state)
{
    struct claim_limit *limit = *state;
    static const size_t asked_for[] = {100, 50, 7, 3}, left[] = {50, 25, 3, 1};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_true(claim_limit_halve(limit, asked_for[i]));
        assert_int_equal(limit->current, left[i]);
    }
    assert_false(claim_limit_halve(limit, 1));
    assert_false(claim_limit_halve(limit, 0)); /* a claim for nothing */
    assert_int_equal(limit->current, 1);
}

static void doubles_after_many_answers_in_a_row(void **state)
{
    struct claim_limit *limit = *state;
    assert_true(claim_limit_halve(limit, CLAIM_LIMIT_MAX));
    succeed(limit, DOUBLE_AFTER - 1);
    assert_true(claim_limit_halve(limit, CLAIM_LIMIT_MAX / 2)); /* not in a row */
    succeed(limit, DOUBLE_AFTER - 1);
    assert_int_equal(limit->current, CLAIM_LIMIT_MAX / 4);
    succeed(limit, 1);
    assert_int_equal(limit->current, CLAIM_LIMIT_MAX / 2);
    succeed(limit, DOUBLE_AFTER);
    assert_int_equal(limit->current, CLAIM_LIMIT_MAX);
}

static void never_grows_beyond_its_maximum(void **state)
{
    struct claim_limit *limit = *state;
    assert_true(claim_limit_halve(limit, 3));
    for (size_t current = 1; current < CLAIM_LIMIT_MAX; current *= 2) {
        assert_int_equal(limit->current, current);
        succeed(limit, DOUBLE_AFTER);
    }
    assert_true(claim_limit_halve(limit, 90));
    succeed(limit, 2 * DOUBLE_AFTER);
    assert_int_equal(limit->current, CLAIM_LIMIT_MAX);
}

static void tells_when_answers_are_lost_again(void **state)
{
    struct claim_limit *limit = *state;
    assert_true(claim_limit_halve(limit, CLAIM_LIMIT_MAX));
    assert_false(limit->is_shrunk); /* once may be any break of a connection */
    assert_true(claim_limit_halve(limit, CLAIM_LIMIT_MAX / 2));
    assert_true(limit->is_shrunk);
    succeed(limit, DOUBLE_AFTER);
    assert_true(limit->is_shrunk);
    succeed(limit, DOUBLE_AFTER);
    assert_false(limit->is_shrunk);
}

#define LIMIT(sentence, function) IT_WITH(sentence, function, begin, NULL)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIMIT("starts at the maximum", starts_at_the_maximum),
        LIMIT("halves what was asked for, down to one", halves_what_was_asked_for),
        LIMIT("doubles after many answers in a row", doubles_after_many_answers_in_a_row),
        LIMIT("never grows beyond its maximum", never_grows_beyond_its_maximum),
        LIMIT("tells when answers are lost again, and when that is over",
              tells_when_answers_are_lost_again),
    };
    return cmocka_run_group_tests_name("claim_limit", tests, NULL, NULL);
}
