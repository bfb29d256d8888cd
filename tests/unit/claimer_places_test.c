/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* How many places a claim takes, and what is left to those who lease with their commit. The store,
 * the sender and the clock are replaced at link time. */
#include <string.h>

#include "lib/base/clock.h"

#include "service/outbound/claimer.h"

#include "tests/support/specification.h"

enum { NOW_MS = 1000000, IN_FLIGHT = 8 };

static struct worker_shared shared;
static struct due_table due;
static struct event_loop *loop;
static struct attempts attempts;
static struct authorizer authorizer;
static struct sender sender;
static struct claimer claimer;

static struct {
    unsigned calls;
    size_t limit;
    store_claim_done done;
    void *context;
} asked;

int64_t __wrap_clock_monotonic_ms(void);
bool __wrap_authorizer_prepare(struct authorizer *for_whom, int64_t at_ms, int64_t *out_wait_ms);
bool __wrap_store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                        struct error *error);
bool __wrap_sender_send(struct sender *by, struct attempt *attempt, struct error *error);

int64_t __wrap_clock_monotonic_ms(void)
{
    return NOW_MS;
}

bool __wrap_authorizer_prepare(struct authorizer *for_whom, int64_t at_ms, int64_t *out_wait_ms)
{
    (void)for_whom;
    (void)at_ms;
    (void)out_wait_ms;
    return true;
}

bool __wrap_store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                        struct error *error)
{
    (void)store;
    (void)error;
    asked.calls++;
    asked.limit = limit;
    asked.done = done;
    asked.context = context;
    return true;
}

bool __wrap_sender_send(struct sender *by, struct attempt *attempt, struct error *error)
{
    (void)error;
    attempts_move(by->attempts, attempt, ATTEMPT_SENDING);
    sending_gate_start(by->shared->gate);
    return true;
}

static int begin(void **state)
{
    (void)state;
    static const struct sending_gate_options gate = {.in_flight_max = IN_FLIGHT,
                                                     .breaker_failures = 3,
                                                     .breaker_wait_ms = 100,
                                                     .breaker_wait_max_ms = 400};
    memset(&asked, 0, sizeof asked);
    memset(&shared, 0, sizeof shared);
    handover_init(&shared.handover);
    atomic_init(&shared.stop_at_ms, WORKER_RUNS);
    due_table_init(&due, 2);
    shared.store.due = &due;
    shared.upstream.timeout_ms = 10000;
    shared.store.lease_ms = 25000;
    shared.share = shared.in_flight_max = IN_FLIGHT;
    shared.gate = sending_gate_create(&gate, NULL);
    loop = event_loop_create(NULL);
    if (shared.gate == NULL || loop == NULL || !due_watch_init(&shared.due_watch, 1, NULL) ||
        !attempts_init(&attempts, IN_FLIGHT, &sender, NULL))
        return -1;
    due_watch_join(&shared.due_watch, 0, loop);
    sender = (struct sender){.shared = &shared, .attempts = &attempts};
    claimer = (struct claimer){
        .shared = &shared, .attempts = &attempts, .authorizer = &authorizer, .sender = &sender};
    claim_limit_init(&claimer.limit);
    return 0;
}

static int end(void **state)
{
    (void)state;
    attempts_fini(&attempts);
    sending_gate_destroy(shared.gate);
    due_watch_fini(&shared.due_watch);
    handover_fini(&shared.handover);
    event_loop_destroy(loop);
    return 0;
}

static void must_claim(size_t limit)
{
    unsigned before = asked.calls;
    (void)claimer_turn(&claimer, true, NOW_MS);
    assert_int_equal(asked.calls, before + 1);
    assert_int_equal(asked.limit, limit);
}

/* More is due, so that the next claim follows at once. */
static void answer(size_t count)
{
    static const struct store_failure fine = {.status = STORE_OK};
    struct claim claims[IN_FLIGHT];
    for (size_t i = 0; i < count; i++)
        claims[i] = (struct claim){.application_id = "A",
                                   .seek_token = "t",
                                   .event_id = "11111111-2222-4333-8444-555500000000",
                                   .traceparent = "",
                                   .attempt = 1};
    const struct claim_result result = {.claims = claims, .count = count};
    asked.done(asked.context, &fine, &result);
}

static void leaves_half_of_the_places_to_other_shards(void **state)
{
    (void)state;
    must_claim(IN_FLIGHT / 2);
    answer(1);
    assert_false(atomic_load(&shared.is_behind)); /* it had asked for more than there was */
    must_claim((IN_FLIGHT - 1 + 1) / 2);
    answer(IN_FLIGHT / 2);
    assert_true(atomic_load(&shared.is_behind)); /* that was too few */
    must_claim(IN_FLIGHT / 2 - 1);
    answer(0);
    assert_false(atomic_load(&shared.is_behind));
    must_claim(2); /* of three */
}

static void takes_all_of_them_in_the_only_shard(void **state)
{
    (void)state;
    shared.store.due = NULL;
    must_claim(IN_FLIGHT);
    answer(1);
    must_claim(IN_FLIGHT - 1);
}

/* What leases with the commit leaves the next places to it then. */
static void knows_that_others_have_all_places(void **state)
{
    (void)state;
    int64_t wait_ms;
    assert_int_equal(sending_gate_enter(shared.gate, IN_FLIGHT, NOW_MS, &wait_ms), IN_FLIGHT);
    (void)claimer_turn(&claimer, true, NOW_MS);
    assert_int_equal(asked.calls, 0);
    assert_true(atomic_load(&shared.is_behind));
    sending_gate_return(shared.gate, IN_FLIGHT);
    must_claim(IN_FLIGHT);
    assert_true(atomic_load(&shared.is_behind)); /* until it is known what is left */
    answer(1);
    assert_false(atomic_load(&shared.is_behind));
}

/* Who has outcomes to record does so meanwhile; nothing is taken from them by a claim of nothing,
 * which opens the straight way. */
static void yields_to_those_that_record(void **state)
{
    (void)state;
    claimer.yields_until_ms = NOW_MS + 4000;
    assert_int_equal(due_watch_owner(&shared.due_watch), DUE_WATCH_NOBODY);
    must_claim(0);
    answer(0);
    assert_int_not_equal(due_watch_owner(&shared.due_watch), DUE_WATCH_NOBODY);
    (void)due_watch_lower(&shared.due_watch, NOW_MS);
    unsigned calls = asked.calls;
    assert_int_equal(claimer_turn(&claimer, true, NOW_MS), 4000);
    assert_int_equal(asked.calls, calls);
    claimer.state = CLAIMER_LOST;
    must_claim(0);
    answer(0);
    assert_int_equal(claimer_turn(&claimer, true, NOW_MS), 4000);
    claimer.yields_until_ms = NOW_MS;
    must_claim(IN_FLIGHT / 2);
    answer(0);
}

#define SCENE(sentence, function) IT_WITH(sentence, function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("leaves half of the places to other shards",
              leaves_half_of_the_places_to_other_shards),
        SCENE("takes all of them in the only shard", takes_all_of_them_in_the_only_shard),
        SCENE("yields to those that record", yields_to_those_that_record),
        SCENE("knows that others have all places", knows_that_others_have_all_places),
    };
    return cmocka_run_group_tests_name("claimer places", tests, NULL, NULL);
}
