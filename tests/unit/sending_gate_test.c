/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "lib/base/log.h"

#include "service/domain/retry_policy.h"
#include "service/outbound/sending_gate.h"

#include "tests/support/specification.h"

enum { IN_FLIGHT_MAX = 8, FAILURES = 3, WAIT_MS = 100, START_MS = 1000 };

static struct sending_gate *gate_of(unsigned per_second)
{
    const struct sending_gate_options options = {.in_flight_max = IN_FLIGHT_MAX,
                                                 .per_second_max = per_second,
                                                 .breaker_failures = FAILURES,
                                                 .breaker_wait_ms = WAIT_MS,
                                                 .breaker_wait_max_ms = 4 * WAIT_MS};
    struct sending_gate *gate = sending_gate_create(&options, NULL);
    assert_non_null(gate);
    return gate;
}

static int set_up(void **state)
{
    *state = gate_of(0);
    return 0;
}

static int tear_down(void **state)
{
    sending_gate_destroy(*state);
    return 0;
}

static void must_enter(struct sending_gate *gate, size_t wanted, int64_t now_ms, size_t expected)
{
    int64_t wait_ms;
    assert_int_equal(sending_gate_enter(gate, wanted, now_ms, &wait_ms), expected);
}

static void must_wait(struct sending_gate *gate, int64_t now_ms, int64_t expected_wait_ms)
{
    int64_t wait_ms = -1;
    assert_int_equal(sending_gate_enter(gate, 1, now_ms, &wait_ms), 0);
    assert_int_equal(wait_ms, expected_wait_ms);
}

static void leave(struct sending_gate *gate, enum verdict_class class, int64_t now_ms)
{
    const struct verdict verdict = {.class = class, .retry_after_ms = -1};
    sending_gate_start(gate);
    (void)sending_gate_leave(gate, &verdict, true, now_ms);
}

static void leave_throttled(struct sending_gate *gate, int64_t retry_after_ms, int64_t now_ms)
{
    const struct verdict verdict = {.class = VERDICT_THROTTLED, .retry_after_ms = retry_after_ms};
    sending_gate_start(gate);
    (void)sending_gate_leave(gate, &verdict, true, now_ms);
}

static struct sending_gate_status status_of(struct sending_gate *gate, int64_t now_ms)
{
    struct sending_gate_status status;
    sending_gate_status(gate, now_ms, &status);
    return status;
}

static void an_unproven_token_rejected_by_all_opens(void **state)
{
    const struct verdict verdict = {.class = VERDICT_AUTH, .retry_after_ms = -1};
    for (int i = 0; i < FAILURES; i++) {
        assert_int_equal(status_of(*state, START_MS).breaker, BREAKER_CLOSED);
        must_enter(*state, 1, START_MS, 1);
        sending_gate_start(*state);
        (void)sending_gate_leave(*state, &verdict, false, START_MS);
    }
    assert_int_equal(status_of(*state, START_MS).breaker, BREAKER_OPEN);
}

static void fail_until_open(struct sending_gate *gate)
{
    for (int i = 0; i < FAILURES; i++) {
        must_enter(gate, 1, START_MS, 1);
        leave(gate, VERDICT_TRANSIENT, START_MS);
    }
}

static void must_enter_open(struct sending_gate *gate, size_t wanted, int64_t now_ms,
                            size_t expected)
{
    assert_int_equal(sending_gate_enter_open(gate, wanted, now_ms), expected);
}

static void who_may_do_without_gets_what_is_free(void **state)
{
    must_enter_open(*state, 5, START_MS, 5);
    must_enter_open(*state, 5, START_MS, 3);
    must_enter_open(*state, 1, START_MS, 0);
    sending_gate_return(*state, 8);
    must_enter(*state, 8, START_MS, 8);
}

static void probes_are_not_for_who_may_do_without(void **state)
{
    fail_until_open(*state);
    must_enter_open(*state, 1, START_MS + WAIT_MS, 0);
    must_enter(*state, 1, START_MS + WAIT_MS, 1);
    leave(*state, VERDICT_DELIVERED, START_MS + WAIT_MS);
    must_enter_open(*state, 2, START_MS + WAIT_MS, 2);
}

static void nor_is_the_first_after_a_throttle(void **state)
{
    must_enter(*state, 1, START_MS, 1);
    leave_throttled(*state, 3000, START_MS);
    must_enter_open(*state, 1, START_MS + 3001, 0);
    must_enter(*state, 1, START_MS + 3001, 1);
    leave(*state, VERDICT_DELIVERED, START_MS + 3001);
    must_enter_open(*state, 2, START_MS + 3001, 2);
}

static void counts_places(void **state)
{
    must_enter(*state, 5, START_MS, 5);
    must_enter(*state, 5, START_MS, 3);
    must_wait(*state, START_MS, 1000);
    sending_gate_return(*state, 2);
    leave(*state, VERDICT_DELIVERED, START_MS);
    must_enter(*state, 5, START_MS, 3);
    must_enter(*state, 5, START_MS, 0);
}

static void shows_only_what_was_started(void **state)
{
    must_enter(*state, 5, START_MS, 5);
    assert_int_equal(status_of(*state, START_MS).in_flight, 0);
    sending_gate_start(*state);
    sending_gate_start(*state);
    assert_int_equal(status_of(*state, START_MS).in_flight, 2);
    sending_gate_return(*state, 3);
    assert_int_equal(status_of(*state, START_MS).in_flight, 2);
    must_enter(*state, IN_FLIGHT_MAX, START_MS, IN_FLIGHT_MAX - 2);
    sending_gate_cut(*state);
    const struct verdict verdict = {.class = VERDICT_DELIVERED, .retry_after_ms = -1};
    (void)sending_gate_leave(*state, &verdict, true, START_MS);
    assert_int_equal(status_of(*state, START_MS).in_flight, 0);
    must_enter(*state, IN_FLIGHT_MAX, START_MS, 2);
}

static void wanting_nothing_is_nothing(void **state)
{
    must_enter(*state, 0, START_MS, 0);
    assert_int_equal(status_of(*state, START_MS).in_flight, 0);
}

static void strain_lowers_the_limit(void **state)
{
    must_enter(*state, 8, START_MS, 8);
    leave(*state, VERDICT_TRANSIENT, START_MS);
    assert_int_equal(status_of(*state, START_MS).in_flight_limit, 4);
    must_wait(*state, START_MS, 1000); /* 7 are still on their way */
    leave_throttled(*state, -1, START_MS + 5000);
    assert_int_equal(status_of(*state, START_MS).in_flight_limit, 2);
}

static void answers_of_any_kind_close_the_breaker(void **state)
{
    (void)state;
    static const enum verdict_class classes[] = {VERDICT_DELIVERED, VERDICT_THROTTLED, VERDICT_AUTH,
                                                 VERDICT_REFUSED};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        AUTO(sending_gate) *gate = gate_of(0);
        fail_until_open(gate);
        must_enter(gate, 5, START_MS + WAIT_MS, 1);
        assert_int_equal(status_of(gate, START_MS).breaker, BREAKER_PROBING);
        leave(gate, classes[i], START_MS + WAIT_MS);
        assert_int_equal(status_of(gate, START_MS).breaker, BREAKER_CLOSED);
    }
}

static void answers_of_somebody_else_open_the_breaker(void **state)
{
    must_enter(*state, IN_FLIGHT_MAX, START_MS, IN_FLIGHT_MAX);
    for (int i = 0; i < IN_FLIGHT_MAX; i++)
        leave(*state, VERDICT_MISCONFIGURED, START_MS);
    assert_int_equal(status_of(*state, START_MS).breaker, BREAKER_OPEN);
    assert_int_equal(status_of(*state, START_MS).in_flight_limit, IN_FLIGHT_MAX);
}

static void nothing_enters_while_the_breaker_is_open(void **state)
{
    fail_until_open(*state);
    assert_int_equal(status_of(*state, START_MS).breaker, BREAKER_OPEN);
    must_wait(*state, START_MS, WAIT_MS);
    must_enter(*state, 5, START_MS + WAIT_MS, 1);
    must_wait(*state, START_MS + WAIT_MS, WAIT_MS);
    leave(*state, VERDICT_TRANSIENT, START_MS + WAIT_MS);
    must_wait(*state, START_MS + WAIT_MS, 2 * WAIT_MS);
}

static void a_probe_is_alone(void **state)
{
    must_enter(*state, FAILURES + 1, START_MS, FAILURES + 1);
    for (int i = 0; i < FAILURES; i++)
        leave(*state, VERDICT_TRANSIENT, START_MS);
    must_wait(*state, START_MS + WAIT_MS, 1000); /* one is still on its way */
    leave(*state, VERDICT_TRANSIENT, START_MS + WAIT_MS);
    must_enter(*state, 5, START_MS + WAIT_MS, 1);
}

static void an_unused_probe_is_given_again(void **state)
{
    fail_until_open(*state);
    must_enter(*state, 5, START_MS + WAIT_MS, 1);
    sending_gate_return(*state, 1);
    must_enter(*state, 5, START_MS + WAIT_MS, 1);
}

static void an_open_breaker_that_nobody_tries_is_unknown(void **state)
{
    enum { KNOWN_MS = 30000 /* of sending_gate.c */ };
    assert_true(status_of(*state, START_MS).is_breaker_known);
    fail_until_open(*state);
    int64_t last_ms = START_MS + WAIT_MS + KNOWN_MS;
    assert_true(status_of(*state, last_ms - 1).is_breaker_known);
    assert_false(status_of(*state, last_ms).is_breaker_known);
    must_enter(*state, 1, last_ms, 1); /* a probe */
    assert_true(status_of(*state, last_ms).is_breaker_known);
    sending_gate_return(*state, 1); /* nothing was due */
    assert_false(status_of(*state, last_ms).is_breaker_known);
    must_enter(*state, 1, last_ms, 1);
    leave(*state, VERDICT_DELIVERED, last_ms);
    assert_true(status_of(*state, last_ms + KNOWN_MS).is_breaker_known);
}

static void retry_after_holds_everybody(void **state)
{
    must_enter(*state, 2, START_MS, 2);
    leave_throttled(*state, 7000, START_MS);
    must_wait(*state, START_MS, 7000);
    leave_throttled(*state, 3000, START_MS + 1000); /* shorter: the longer one stands */
    must_wait(*state, START_MS + 1000, 6000);
    assert_int_equal(status_of(*state, START_MS + 1000).throttled_for_ms, 6000);
    must_enter(*state, 1, START_MS + 7000, 1);
    assert_int_equal(status_of(*state, START_MS + 7000).throttled_for_ms, 0);
}

static void a_retry_after_of_a_day_holds_for_minutes(void **state)
{
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    must_enter(*state, 1, START_MS, 1);
    leave_throttled(*state, day_ms, START_MS);
    must_wait(*state, START_MS, RETRY_AFTER_TRUSTED_MS);
    const int64_t again_ms = START_MS + RETRY_AFTER_TRUSTED_MS;
    must_enter(*state, 8, again_ms, 1);
    must_wait(*state, again_ms, 1000); /* for what the one finds */
    leave_throttled(*state, day_ms, again_ms);
    must_wait(*state, again_ms, RETRY_AFTER_TRUSTED_MS);
}

static void one_asks_whether_throttling_is_over(void **state)
{
    must_enter(*state, 3, START_MS, 3);
    leave_throttled(*state, 7000, START_MS);
    leave(*state, VERDICT_DELIVERED, START_MS); /* sent before the 429: says nothing of now */
    must_wait(*state, START_MS, 7000);
    leave(*state, VERDICT_TRANSIENT, START_MS + 7000);
    must_enter(*state, 8, START_MS + 7000, 1);
    sending_gate_return(*state, 1);
    must_enter(*state, 8, START_MS + 7000, 1);
    leave(*state, VERDICT_DELIVERED, START_MS + 7001);
    must_enter(*state, 8, START_MS + 7001, status_of(*state, START_MS).in_flight_limit);
}

static void throttling_without_a_time_grows(void **state)
{
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    int64_t now_ms = START_MS;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        must_enter(*state, 1, now_ms, 1);
        leave_throttled(*state, -1, now_ms);
        must_wait(*state, now_ms, waits[i]);
        now_ms += waits[i];
    }
    must_enter(*state, 1, now_ms, 1);
    leave(*state, VERDICT_DELIVERED, now_ms);
    must_enter(*state, 1, now_ms, 1);
    leave_throttled(*state, -1, now_ms);
    must_wait(*state, now_ms, 1000);
}

static void many_throttled_together_count_once(void **state)
{
    must_enter(*state, 5, START_MS, 5);
    for (int i = 0; i < 5; i++)
        leave_throttled(*state, -1, START_MS + i);
    must_wait(*state, START_MS, 1000);
}

static void retry_after_zero_is_our_own_wait(void **state)
{
    must_enter(*state, 1, START_MS, 1);
    leave_throttled(*state, 0, START_MS);
    must_wait(*state, START_MS, 1000);
}

static void the_rate_is_shared(void **state)
{
    (void)state;
    AUTO(sending_gate) *gate = gate_of(20);
    must_enter(gate, 5, START_MS, 2);
    must_wait(gate, START_MS, 50);
    sending_gate_return(gate, 1);
    must_enter(gate, 5, START_MS, 1);
}

static void a_probe_without_a_permit_is_not_lost(void **state)
{
    (void)state;
    AUTO(sending_gate) *gate = gate_of(1);
    int64_t now_ms = START_MS;
    for (int i = 0; i < FAILURES; i++, now_ms += 1000) {
        must_enter(gate, 1, now_ms, 1);
        leave(gate, VERDICT_TRANSIENT, now_ms);
    }
    now_ms -= 900; /* the breaker's wait is over, the limiter's is not */
    must_wait(gate, now_ms, 900);
    must_enter(gate, 1, now_ms + 900, 1);
}

static void leave_saying(struct sending_gate *gate, struct verdict verdict)
{
    must_enter(gate, 1, START_MS, 1);
    sending_gate_start(gate);
    (void)sending_gate_leave(gate, &verdict, true, START_MS);
}

static void the_last_failure_is_told(void **state)
{
    assert_string_equal(status_of(*state, START_MS).last_failure, "");
    leave_saying(*state, (struct verdict){
                             .class = VERDICT_TRANSIENT, .code = "DNS", .message = "no such host"});
    assert_string_equal(status_of(*state, START_MS).last_failure, "DNS: no such host");
    leave_saying(*state, (struct verdict){
                             .class = VERDICT_AUTH, .code = "UNAUTHENTICATED", .message = "no"});
    assert_string_equal(status_of(*state, START_MS).last_failure, "UNAUTHENTICATED: no");
    leave_saying(*state, (struct verdict){
                             .class = VERDICT_REFUSED, .code = "FORBIDDEN", .message = "never"});
    assert_string_equal(status_of(*state, START_MS).last_failure, "");
}

enum { THREADS = 4, ROUNDS = 5000 };

static void *enter_and_leave(void *context)
{
    struct sending_gate *gate = context;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t wait_ms;
        size_t count = sending_gate_enter(gate, 3, START_MS, &wait_ms);
        if (count > 1)
            sending_gate_return(gate, count - 1);
        if (count > 0)
            leave(gate, VERDICT_DELIVERED, START_MS);
    }
    return NULL;
}

static void threads_leave_nothing_behind(void **state)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, *state), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(status_of(*state, START_MS).in_flight, 0);
}

static void foresees_places_while_it_is_open(void **state)
{
    struct sending_gate *gate = *state;
    assert_int_equal(sending_gate_ahead(gate, 5), 0); /* nobody is about to leave */
    must_enter(gate, 3, START_MS, 3);
    assert_int_equal(sending_gate_ahead(gate, 5), 0);
    for (unsigned i = 0; i < 3; i++)
        sending_gate_start(gate);
    assert_int_equal(sending_gate_ahead(gate, 5), 3);
    assert_int_equal(sending_gate_ahead(gate, 2), 2);
    must_enter(gate, IN_FLIGHT_MAX, START_MS, IN_FLIGHT_MAX - 3); /* it has reserved nothing */
}

static void foresees_nothing_while_it_is_shut(void **state)
{
    (void)state;
    static const struct {
        unsigned per_second;
        enum verdict_class class;
        unsigned answers;
    } rows[] = {{0, VERDICT_TRANSIENT, FAILURES}, {0, VERDICT_THROTTLED, 1}, {1000, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sending_gate *gate = gate_of(rows[i].per_second);
        must_enter(gate, 5, START_MS, 5);
        for (unsigned answers = 0; answers < rows[i].answers; answers++)
            leave(gate, rows[i].class, START_MS);
        sending_gate_start(gate);
        assert_int_equal(sending_gate_ahead(gate, 1), 0);
        sending_gate_destroy(gate);
    }
}

int main(void)
{
    log_configure(LOG_ERROR, LOG_FORMAT_TEXT);
    const struct CMUnitTest tests[] = {
        IT_WITH("counts what is on its way", counts_places, set_up, tear_down),
        IT_WITH("shows what was started as in flight, not what a claim has reserved",
                shows_only_what_was_started, set_up, tear_down),
        IT_WITH("gives who may do without what is free", who_may_do_without_gets_what_is_free,
                set_up, tear_down),
        IT_WITH("gives them no probe", probes_are_not_for_who_may_do_without, set_up, tear_down),
        IT_WITH("nor lets them ask first whether a throttle is over",
                nor_is_the_first_after_a_throttle, set_up, tear_down),
        IT_WITH("gives nothing to who wants nothing", wanting_nothing_is_nothing, set_up,
                tear_down),
        IT_WITH("lowers the limit when SEEK shows strain", strain_lowers_the_limit, set_up,
                tear_down),
        IT_WITH("opens the breaker when somebody else answers in SEEK's place",
                answers_of_somebody_else_open_the_breaker, set_up, tear_down),
        IT("closes the breaker after any answer that is SEEK's",
           answers_of_any_kind_close_the_breaker),
        IT_WITH("lets nothing in while the breaker is open, but one probe",
                nothing_enters_while_the_breaker_is_open, set_up, tear_down),
        IT_WITH("sends a probe only when everything else is back", a_probe_is_alone, set_up,
                tear_down),
        IT_WITH("says of an open breaker that nobody tries that it is unknown",
                an_open_breaker_that_nobody_tries_is_unknown, set_up, tear_down),
        IT_WITH("gives a probe again that was not used", an_unused_probe_is_given_again, set_up,
                tear_down),
        IT_WITH("holds everybody for Retry-After", retry_after_holds_everybody, set_up, tear_down),
        IT_WITH("holds nobody for a day because of one answer, but asks again after minutes",
                a_retry_after_of_a_day_holds_for_minutes, set_up, tear_down),
        IT_WITH("sends one before all when throttling should be over",
                one_asks_whether_throttling_is_over, set_up, tear_down),
        IT_WITH("waits longer each time SEEK throttles without a time, until a delivery",
                throttling_without_a_time_grows, set_up, tear_down),
        IT_WITH("counts many throttled together once", many_throttled_together_count_once, set_up,
                tear_down),
        IT_WITH("waits all the same when Retry-After is zero", retry_after_zero_is_our_own_wait,
                set_up, tear_down),
        IT_WITH("opens the breaker when all are rejected with an access token that SEEK never took",
                an_unproven_token_rejected_by_all_opens, set_up, tear_down),
        IT_WITH("foresees as many places as are in flight", foresees_places_while_it_is_open,
                set_up, tear_down),
        IT("foresees none while anything but their number keeps it shut",
           foresees_nothing_while_it_is_shut),
        IT("shares the rate, and takes unused permits back", the_rate_is_shared),
        IT("does not lose a probe for want of a permit", a_probe_without_a_permit_is_not_lost),
        IT_WITH("tells what failed last, until SEEK answers", the_last_failure_is_told, set_up,
                tear_down),
        IT_WITH("counts right with several threads", threads_leave_nothing_behind, set_up,
                tear_down),
    };
    return cmocka_run_group_tests_name("sending_gate", tests, NULL, NULL);
}
