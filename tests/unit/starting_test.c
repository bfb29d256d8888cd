/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The sender, the access token and the clock are replaced at link time; the gate, the attempts and
 * the queue are real. */
#include <string.h>

#include "lib/base/clock.h"

#include "service/outbound/starting.h"

#include "tests/support/specification.h"

enum { NOW_MS = 1000000, TIMEOUT_MS = 10000, LEASE_MS = 25000, SHARE = 4, IN_FLIGHT = 16 };

static bool has_access_token;

int64_t __wrap_clock_monotonic_ms(void);
bool __wrap_authorizer_prepare(struct authorizer *authorizer, int64_t at_ms, int64_t *out_wait_ms);
bool __wrap_sender_send(struct sender *sender, struct attempt *attempt, struct error *error);

int64_t __wrap_clock_monotonic_ms(void)
{
    return NOW_MS;
}

bool __wrap_authorizer_prepare(struct authorizer *authorizer, int64_t at_ms, int64_t *out_wait_ms)
{
    (void)authorizer;
    (void)at_ms;
    (void)out_wait_ms;
    return has_access_token;
}

bool __wrap_sender_send(struct sender *sender, struct attempt *attempt, struct error *error)
{
    (void)error;
    attempts_move(sender->attempts, attempt, ATTEMPT_SENDING);
    sending_gate_start(sender->shared->gate);
    return true;
}

static struct worker_shared shared;
static struct attempts attempts;
static struct sender sender;
static struct claimer claimer;

static int begin(void **state)
{
    (void)state;
    static const struct sending_gate_options gate = {.in_flight_max = IN_FLIGHT,
                                                     .breaker_failures = 3,
                                                     .breaker_wait_ms = 100,
                                                     .breaker_wait_max_ms = 400};
    memset(&shared, 0, sizeof shared);
    has_access_token = true;
    handover_init(&shared.handover);
    atomic_init(&shared.stop_at_ms, WORKER_RUNS);
    shared.upstream.timeout_ms = TIMEOUT_MS;
    shared.store.lease_ms = LEASE_MS;
    shared.gate = sending_gate_create(&gate, NULL);
    sender = (struct sender){.shared = &shared, .attempts = &attempts};
    claimer = (struct claimer){.shared = &shared, .attempts = &attempts, .sender = &sender};
    return shared.gate != NULL && attempts_init(&attempts, SHARE, &sender, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    attempts_fini(&attempts);
    sending_gate_destroy(shared.gate);
    handover_fini(&shared.handover);
    return 0;
}

/* With their places, as worker_pool_hand_over does it. */
static void hand_over(size_t count)
{
    static const struct claim claim = {.application_id = "A",
                                       .seek_token = "t",
                                       .event_id = "11111111-2222-4333-8444-555500000000",
                                       .traceparent = "",
                                       .generation = 7,
                                       .attempt = 1};
    struct handed_list list = TAILQ_HEAD_INITIALIZER(list);
    for (size_t i = 0; i < count; i++) {
        struct handed *handed = handed_create(&claim, NOW_MS, true);
        TAILQ_INSERT_TAIL(&list, handed, links);
    }
    assert_int_equal(sending_gate_enter_open(shared.gate, count, NOW_MS), count);
    handover_give(&shared.handover, &list, count);
}

static void must_have(size_t claimed, size_t sending, size_t finished)
{
    assert_int_equal(attempts.counts[ATTEMPT_CLAIMED], claimed);
    assert_int_equal(attempts.counts[ATTEMPT_SENDING], sending);
    assert_int_equal(attempts.counts[ATTEMPT_FINISHED], finished);
}

static size_t free_places(void)
{
    size_t count = sending_gate_enter_open(shared.gate, IN_FLIGHT, NOW_MS);
    sending_gate_return(shared.gate, count);
    return count;
}

static void starts_what_is_handed_over(void **state)
{
    (void)state;
    hand_over(3);
    assert_int_equal(starting_take_handed(&claimer, 0), 3);
    assert_true(handover_is_idle(&shared.handover));
    starting_start(&claimer, 3, NOW_MS);
    must_have(0, 3, 0);
    assert_int_equal(free_places(), IN_FLIGHT - 3);
}

/* What a claim brings finds its attempts, which it has counted upon. */
static void leaves_room_for_the_claim_on_its_way(void **state)
{
    (void)state;
    hand_over(6);
    assert_int_equal(starting_take_handed(&claimer, 2 * SHARE), 0);
    assert_int_equal(starting_take_handed(&claimer, 2 * SHARE - 2), 2);
    assert_false(handover_is_idle(&shared.handover));
    assert_int_equal(starting_take_handed(&claimer, 0), 4);
    assert_true(handover_is_idle(&shared.handover));
}

/* More than one worker has in flight may be handed over, and with a place for each. */
static void sends_no_more_than_its_share(void **state)
{
    (void)state;
    hand_over(6);
    size_t places = starting_take_handed(&claimer, 0);
    assert_int_equal(places, 6);
    starting_start(&claimer, places, NOW_MS);
    must_have(6 - SHARE, SHARE, 0);
    assert_int_equal(free_places(), IN_FLIGHT - SHARE); /* others may use the rest */
}

static void releases_what_cannot_start(void **state)
{
    (void)state;
    hand_over(2);
    has_access_token = false;
    starting_start(&claimer, starting_take_handed(&claimer, 0), NOW_MS);
    must_have(0, 0, 2);
    assert_int_equal(TAILQ_FIRST(&attempts.lists[ATTEMPT_FINISHED])->action, SETTLE_RELEASE);
    assert_int_equal(free_places(), IN_FLIGHT);
}

static void begins_nothing_in_a_stop_that_leaves_no_time(void **state)
{
    (void)state;
    hand_over(1);
    atomic_store(&shared.stop_at_ms, NOW_MS + TIMEOUT_MS - 1);
    starting_start(&claimer, starting_take_handed(&claimer, 0), NOW_MS);
    must_have(0, 0, 1);
    assert_int_equal(free_places(), IN_FLIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("starts what is handed over, on the places that came along",
                starts_what_is_handed_over, begin, end),
        IT_WITH("leaves room for the claim that is on its way",
                leaves_room_for_the_claim_on_its_way, begin, end),
        IT_WITH("sends no more than its share, and gives back the places beyond",
                sends_no_more_than_its_share, begin, end),
        IT_WITH("releases what cannot start, with its place", releases_what_cannot_start, begin,
                end),
        IT_WITH("begins nothing in a stop that leaves no time for it",
                begins_nothing_in_a_stop_that_leaves_no_time, begin, end),
    };
    return cmocka_run_group_tests_name("starting", tests, NULL, NULL);
}
