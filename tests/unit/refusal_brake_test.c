/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "service/outbound/refusal_brake.h"

#include "tests/support/specification.h"

static bool note(struct refusal_brake *brake, enum verdict_class class, const char *code,
                 const char *message)
{
    struct verdict verdict = {.class = class};
    (void)snprintf(verdict.code, sizeof verdict.code, "%s", code);
    (void)snprintf(verdict.message, sizeof verdict.message, "%s", message);
    return refusal_brake_note(brake, &verdict);
}

static void brakes_at_the_last_of_so_many(void **state)
{
    (void)state;
    struct refusal_brake brake;
    refusal_brake_init(&brake, 3);
    for (int round = 0; round < 3; round++) {
        assert_false(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "no"));
        assert_false(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "no"));
        assert_true(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "no"));
    }
    refusal_brake_init(&brake, 1);
    assert_true(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "no"));
}

static void begins_anew_with_another_reason_and_with_a_delivery(void **state)
{
    (void)state;
    struct refusal_brake brake;
    refusal_brake_init(&brake, 2);
    assert_false(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "a"));
    assert_false(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "b"));
    assert_false(note(&brake, VERDICT_REFUSED, "BAD_USER_INPUT", "b"));
    assert_false(note(&brake, VERDICT_DELIVERED, "", ""));
    assert_false(note(&brake, VERDICT_REFUSED, "BAD_USER_INPUT", "b"));
    assert_true(note(&brake, VERDICT_REFUSED, "BAD_USER_INPUT", "b"));
}

static void goes_on_counting_over_what_says_nothing(void **state)
{
    (void)state;
    struct refusal_brake brake;
    refusal_brake_init(&brake, 2);
    assert_false(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "a"));
    assert_false(note(&brake, VERDICT_TRANSIENT, "TIMEOUT", ""));
    assert_false(note(&brake, VERDICT_THROTTLED, "RATE_LIMITED", ""));
    assert_true(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "a"));
}

static void never_brakes_when_told_so(void **state)
{
    (void)state;
    struct refusal_brake brake;
    refusal_brake_init(&brake, 0);
    for (int i = 0; i < 1000; i++)
        assert_false(note(&brake, VERDICT_REFUSED, "FORBIDDEN", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("brakes at the last of so many", brakes_at_the_last_of_so_many),
        IT("begins anew with another reason, and with a delivery",
           begins_anew_with_another_reason_and_with_a_delivery),
        IT("goes on counting over what says nothing", goes_on_counting_over_what_says_nothing),
        IT("never brakes when it is told so", never_brakes_when_told_so),
    };
    return cmocka_run_group_tests_name("refusal_brake", tests, NULL, NULL);
}
