/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The store, the sender and the clock are replaced at link time. */
#include <string.h>

#include "lib/base/clock.h"

#include "service/outbound/claimer.h"

#include "tests/support/specification.h"

enum { START_MS = 1000000, TIMEOUT_MS = 10000, LEASE_MS = 25000, IN_FLIGHT = 8 };
static int64_t now_ms;
static struct worker_shared shared;
static bool has_access_token;
static const char *event_id;
static enum due_watch_state state_at_look;

static struct {
    unsigned calls;
    size_t limit;
    store_claim_done done;
    void *context;
} asked;

int64_t __wrap_clock_monotonic_ms(void);
bool __wrap_authorizer_prepare(struct authorizer *authorizer, int64_t at_ms, int64_t *out_wait_ms);
bool __wrap_store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                        struct error *error);
bool __wrap_sender_send(struct sender *sender, struct attempt *attempt, struct error *error);

int64_t __wrap_clock_monotonic_ms(void)
{
    return now_ms;
}

bool __wrap_authorizer_prepare(struct authorizer *authorizer, int64_t at_ms, int64_t *out_wait_ms)
{
    (void)authorizer;
    (void)at_ms;
    *out_wait_ms = 100;
    state_at_look = atomic_load(&shared.due_watch.slots[0].state);
    return has_access_token;
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

bool __wrap_sender_send(struct sender *sender, struct attempt *attempt, struct error *error)
{
    (void)error;
    attempts_move(sender->attempts, attempt, ATTEMPT_SENDING);
    sending_gate_start(sender->shared->gate);
    return true;
}

static struct event_loop *loop;
static struct attempts attempts;
static struct authorizer authorizer;
static struct sender sender;
static struct claimer claimer;

static int begin(void **state)
{
    (void)state;
    static const struct sending_gate_options gate = {.in_flight_max = IN_FLIGHT,
                                                     .breaker_failures = 3,
                                                     .breaker_wait_ms = 100,
                                                     .breaker_wait_max_ms = 400};
    memset(&asked, 0, sizeof asked);
    memset(&shared, 0, sizeof shared);
    now_ms = START_MS;
    has_access_token = true;
    event_id = "11111111-2222-4333-8444-555500000000";
    handover_init(&shared.handover);
    atomic_init(&shared.stop_at_ms, WORKER_RUNS);
    shared.upstream.timeout_ms = TIMEOUT_MS;
    shared.store.lease_ms = LEASE_MS;
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

static void turn(void)
{
    (void)claimer_turn(&claimer, true, now_ms);
}

/* More is due, so that the next claim follows at once. */
static void answer(size_t count)
{
    static const struct store_failure fine = {.status = STORE_OK};
    struct claim claims[2 * IN_FLIGHT];
    assert_in_range(count, 0, asked.limit);
    for (size_t i = 0; i < count; i++)
        claims[i] = (struct claim){.application_id = "A",
                                   .seek_token = "t",
                                   .event_id = event_id,
                                   .traceparent = "",
                                   .attempt = 1};
    const struct claim_result result = {.claims = claims, .count = count};
    assert_non_null(asked.done);
    asked.done(asked.context, &fine, &result);
}

static void lose_the_answer(void)
{
    static const struct store_failure lost = {.status = STORE_UNAVAILABLE, .detail = "away"};
    assert_non_null(asked.done);
    asked.done(asked.context, &lost, NULL);
}

static void refuse(void)
{
    static const struct store_failure refused = {.status = STORE_REFUSED, .detail = "OOM"};
    assert_non_null(asked.done);
    asked.done(asked.context, &refused, NULL);
}

static void must_claim(size_t limit)
{
    unsigned before = asked.calls;
    turn();
    assert_int_equal(asked.calls, before + 1);
    assert_int_equal(asked.limit, limit);
}

static void must_not_claim(void)
{
    unsigned before = asked.calls;
    turn();
    assert_int_equal(asked.calls, before);
}

static void come_back(size_t count, enum verdict_class class)
{
    const struct verdict verdict = {.class = class, .retry_after_ms = -1};
    for (size_t i = 0; i < count; i++) {
        struct attempt *attempt = TAILQ_FIRST(&attempts.lists[ATTEMPT_SENDING]);
        assert_non_null(attempt);
        (void)sending_gate_leave(shared.gate, &verdict, true, now_ms);
        attempts_move(&attempts, attempt, ATTEMPT_FINISHED);
    }
}

static void record_all(void)
{
    struct attempt *attempt;
    while ((attempt = TAILQ_FIRST(&attempts.lists[ATTEMPT_FINISHED])) != NULL) {
        attempts_move(&attempts, attempt, ATTEMPT_SETTLING);
        attempts_move(&attempts, attempt, ATTEMPT_FREE);
    }
}

static void must_have(size_t claimed, size_t sending, size_t finished)
{
    assert_int_equal(attempts.counts[ATTEMPT_CLAIMED], claimed);
    assert_int_equal(attempts.counts[ATTEMPT_SENDING], sending);
    assert_int_equal(attempts.counts[ATTEMPT_FINISHED], finished);
}

/* Six of eight are in flight, and while the claim for the two places was on its way three came
 * back. */
static void see_three_come_back(void)
{
    must_claim(IN_FLIGHT);
    answer(6);
    must_have(0, 6, 0);
    must_claim(2);
    come_back(3, VERDICT_DELIVERED);
    answer(2);
    record_all();
    must_have(0, 5, 0);
}

static void claims_what_has_a_place(void **state)
{
    (void)state;
    must_claim(IN_FLIGHT);
    must_not_claim(); /* one at a time */
    answer(IN_FLIGHT);
    must_have(0, IN_FLIGHT, 0);
    must_not_claim();
    come_back(2, VERDICT_DELIVERED);
    must_claim(2);
}

static void claims_ahead(void **state)
{
    (void)state;
    see_three_come_back();
    must_claim(3 + 3);
    come_back(3, VERDICT_DELIVERED);
    answer(6);
    must_have(0, IN_FLIGHT, 3);
}

static void keeps_to_the_limit(void **state)
{
    (void)state;
    see_three_come_back();
    must_claim(3 + 3);
    come_back(1, VERDICT_DELIVERED); /* fewer than were expected */
    answer(6);
    must_have(2, IN_FLIGHT, 1);
    must_not_claim(); /* first those */
    must_have(2, IN_FLIGHT, 1);
    come_back(1, VERDICT_DELIVERED);
    turn();
    must_have(1, IN_FLIGHT, 2);
}

static void releases_what_finds_no_place(void **state)
{
    (void)state;
    see_three_come_back();
    must_claim(3 + 3);
    answer(6);
    must_have(3, IN_FLIGHT, 0);
    now_ms += 1000;
    turn();
    must_have(3, IN_FLIGHT, 0);
    now_ms += 1;
    turn();
    must_have(0, IN_FLIGHT, 3);
    assert_int_equal(TAILQ_FIRST(&attempts.lists[ATTEMPT_FINISHED])->action, SETTLE_RELEASE);
}

static void spends_nothing_on_an_outage(void **state)
{
    (void)state;
    see_three_come_back();
    must_claim(3 + 3);
    answer(6);
    come_back(IN_FLIGHT, VERDICT_TRANSIENT); /* the breaker is open */
    turn();
    must_have(0, 0, IN_FLIGHT + 3);
    assert_int_equal(TAILQ_LAST(&attempts.lists[ATTEMPT_FINISHED], attempt_list)->action,
                     SETTLE_RELEASE);
}

static void releases_at_once(void)
{
    see_three_come_back();
    must_claim(3 + 3);
    answer(6);
    must_have(3, IN_FLIGHT, 0);
    come_back(1, VERDICT_DELIVERED);
}

static void releases_when_it_stops(void **state)
{
    (void)state;
    releases_at_once();
    assert_true(claimer_is_about_to_begin(&claimer, now_ms));
    atomic_store(&shared.stop_at_ms, now_ms + TIMEOUT_MS - 1);
    turn();
    must_have(0, IN_FLIGHT - 1, 4);
    assert_false(claimer_is_about_to_begin(&claimer, now_ms));
}

static void releases_without_an_access_token(void **state)
{
    (void)state;
    releases_at_once();
    has_access_token = false;
    turn();
    must_have(0, IN_FLIGHT - 1, 4);
}

static void begins_nothing_beyond_its_lease(void **state)
{
    (void)state;
    must_claim(IN_FLIGHT);
    now_ms += LEASE_MS - TIMEOUT_MS + 1;
    answer(2);
    must_have(0, 0, 2);
    assert_int_equal(TAILQ_FIRST(&attempts.lists[ATTEMPT_FINISHED])->action, SETTLE_RELEASE);
}

static void claims_nothing_ahead_of_a_throttle(void **state)
{
    (void)state;
    see_three_come_back();
    come_back(1, VERDICT_THROTTLED);
    must_not_claim();
    assert_false(claimer_is_about_to_begin(&claimer, now_ms)); /* a stop waits for no such gate */
}

/* What Redis claimed for an answer that never came is given back by the next claim, which is made
 * even when nothing could be sent. */
static void asks_again_after_a_lost_answer(void **state)
{
    (void)state;
    must_claim(IN_FLIGHT);
    lose_the_answer();
    has_access_token = false;
    must_not_claim(); /* an answer that nobody understands must not be asked for in a loop */
    now_ms += 100;
    must_claim(0);
    answer(0);
    must_not_claim();
    has_access_token = true;
    must_claim(IN_FLIGHT / 2); /* an answer that came to nothing may have been too large */
}

static void gives_back_again_until_an_answer_comes(void **state)
{
    (void)state;
    must_claim(IN_FLIGHT);
    lose_the_answer();
    now_ms += 100;
    must_claim(0);
    refuse();
    must_not_claim();
    now_ms += 1000;
    must_claim(0); /* what is lost is still not given back */
    lose_the_answer();
    now_ms += 100;
    must_claim(0);
    answer(0);
    must_claim(IN_FLIGHT / 2);
}

static void asks_again_after_a_refusal_and_not_ahead(void **state)
{
    (void)state;
    see_three_come_back();
    must_claim(3 + 3);
    refuse();
    must_not_claim();
    now_ms += 1000;
    must_claim(3); /* on all places that were reserved */
}

static void waits_for_a_place_of_the_gate(void **state)
{
    (void)state;
    int64_t wait_ms;
    assert_int_equal(sending_gate_enter(shared.gate, IN_FLIGHT, now_ms, &wait_ms), IN_FLIGHT);
    assert_false(claimer_is_about_to_begin(&claimer, now_ms));
    must_not_claim();
    assert_true(claimer_is_about_to_begin(&claimer, now_ms));
    must_not_claim();
    sending_gate_return(shared.gate, IN_FLIGHT);
    must_claim(IN_FLIGHT);
    answer(0);
    assert_false(claimer_is_about_to_begin(&claimer, now_ms));
}

/* --- waking --- */

static enum due_watch_state state_now(void)
{
    return atomic_load(&shared.due_watch.slots[0].state);
}

static void says_that_it_rests_before_it_looks(void **state)
{
    (void)state;
    state_at_look = DUE_WATCH_UNABLE;
    must_claim(IN_FLIGHT);
    assert_int_equal(state_at_look, DUE_WATCH_RESTING);
    assert_int_equal(state_now(), DUE_WATCH_AWAKE); /* the answer brings it back */
    answer(1);
    has_access_token = false;
    must_not_claim();
    assert_int_equal(state_now(), DUE_WATCH_RESTING);
    come_back(1, VERDICT_DELIVERED);
    (void)claimer_turn(&claimer, false, now_ms); /* Redis is away */
    assert_int_equal(state_now(), DUE_WATCH_UNABLE);
    assert_int_equal(due_watch_owner(&shared.due_watch), DUE_WATCH_NOBODY);
}

/* --- what is damaged --- */

static void sends_nothing_that_is_damaged(void **state)
{
    (void)state;
    event_id = "11111111-2222-4333-8444-55550000000\r";
    must_claim(IN_FLIGHT);
    answer(1);
    must_have(0, 0, 1);
    const struct attempt *attempt = TAILQ_FIRST(&attempts.lists[ATTEMPT_FINISHED]);
    assert_int_equal(attempt->action, SETTLE_DAMAGED);
    assert_string_equal(attempt->damage, "event");
    assert_int_equal(metric_value(&shared.metrics[OUTBOUND_DAMAGED]), 1);
}

static void tells_what_the_store_has_set_aside(void **state)
{
    (void)state;
    static const struct store_failure fine = {.status = STORE_OK};
    static const struct claim_damage damaged[] = {{"A", "token"}, {"B", "key"}};
    const struct claim_result result = {.damaged = damaged, .damaged_count = 2};
    must_claim(IN_FLIGHT);
    asked.done(asked.context, &fine, &result);
    assert_int_equal(metric_value(&shared.metrics[OUTBOUND_DAMAGED]), 2);
    must_have(0, 0, 0);
}

/* --- answers that are lost --- */

static void lose(void)
{
    lose_the_answer();
    now_ms += 200;
    must_claim(0); /* gives back what the lost one took */
    answer(0);
}

static void asks_for_less_when_an_answer_was_lost(void **state)
{
    (void)state;
    for (size_t limit = IN_FLIGHT; limit >= 1; limit /= 2) {
        must_claim(limit);
        lose();
    }
    assert_int_equal(metric_value(&shared.metrics[OUTBOUND_CLAIMS_HALVED]), 3);
    must_claim(1); /* never less */
    answer(1);
}

static void asks_for_more_again(void **state)
{
    (void)state;
    must_claim(IN_FLIGHT);
    lose();
    for (unsigned i = 0; i < 32; i++) {
        must_claim(IN_FLIGHT / 2);
        answer(1);
        come_back(1, VERDICT_DELIVERED);
        record_all();
    }
    must_claim(IN_FLIGHT);
}

#define SCENE(sentence, function) IT_WITH(sentence, function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE("claims what has a place", claims_what_has_a_place),
        SCENE("claims ahead as many as came back during the last claim", claims_ahead),
        SCENE("sends no more than may be in flight, and the rest as places become free",
              keeps_to_the_limit),
        SCENE("releases what finds no place for a second", releases_what_finds_no_place),
        SCENE("spends no attempt on what it claimed before an outage", spends_nothing_on_an_outage),
        SCENE("releases what it claimed ahead when it stops", releases_when_it_stops),
        SCENE("releases it when the access token is gone", releases_without_an_access_token),
        SCENE("begins nothing that would outlast its lease", begins_nothing_beyond_its_lease),
        SCENE("asks again after a lost answer, whether or not it can send",
              asks_again_after_a_lost_answer),
        SCENE("claims nothing ahead while SEEK throttles", claims_nothing_ahead_of_a_throttle),
        SCENE("gives back again what a lost answer took until an answer comes",
              gives_back_again_until_an_answer_comes),
        SCENE("asks again after a refusal, for nothing ahead",
              asks_again_after_a_refusal_and_not_ahead),
        SCENE("waits for a place when the gate has none, also in a stop",
              waits_for_a_place_of_the_gate),
        SCENE("says that it rests before it looks at what is due, and leaves the watch when it "
              "cannot claim",
              says_that_it_rests_before_it_looks),
        SCENE("sends nothing that is damaged, and has it set aside", sends_nothing_that_is_damaged),
        SCENE("tells what the store has set aside", tells_what_the_store_has_set_aside),
        SCENE("asks for half as much when an answer was lost",
              asks_for_less_when_an_answer_was_lost),
        SCENE("asks for more again when answers come", asks_for_more_again),
    };
    return cmocka_run_group_tests_name("claimer", tests, NULL, NULL);
}
