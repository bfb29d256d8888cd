/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The store and the clock are replaced at link time. */
#include <string.h>

#include "lib/base/clock.h"

#include "service/outbound/recorder.h"

#include "tests/support/specification.h"

enum { NOW_MS = 1000000, PLACES = 3 };

static struct {
    unsigned calls;
    size_t count;
    struct settlement first;
    store_settle_done done; /* NULL: nothing is outstanding */
    void *context;
} asked;

int64_t __wrap_clock_monotonic_ms(void);
bool __wrap_store_settle(struct store *store, const struct settlement *settlements, size_t count,
                         store_settle_done done, void *context, struct error *error);

int64_t __wrap_clock_monotonic_ms(void)
{
    return NOW_MS;
}

bool __wrap_store_settle(struct store *store, const struct settlement *settlements, size_t count,
                         store_settle_done done, void *context, struct error *error)
{
    (void)store;
    (void)error;
    asked.calls++;
    asked.count = count;
    asked.first = settlements[0];
    asked.done = done;
    asked.context = context;
    return true;
}

static bool is_away; /* the shard of whatever begins with B */

bool __wrap_store_leads_to(const struct store *store, const char *application_id);
bool __wrap_store_leads_to(const struct store *store, const char *application_id)
{
    (void)store;
    return !is_away || application_id[0] != 'B';
}

static struct {
    unsigned calls;
    store_done done;
    void *context;
} braked;

bool __wrap_store_brake(struct store *store, store_done done, void *context, struct error *error);
bool __wrap_store_brake(struct store *store, store_done done, void *context, struct error *error)
{
    (void)store;
    (void)error;
    braked.calls++;
    braked.done = done;
    braked.context = context;
    return true;
}

static struct worker_shared shared;
static struct event_loop *loop;
static struct attempts attempts;
static struct recorder recorder;

static int begin(void **state)
{
    (void)state;
    struct error error;
    memset(&asked, 0, sizeof asked);
    memset(&braked, 0, sizeof braked);
    memset(&shared, 0, sizeof shared);
    is_away = false;
    loop = event_loop_create(&error);
    assert_non_null(loop);
    assert_true(due_watch_init(&shared.due_watch, 1, &error));
    due_watch_join(&shared.due_watch, 0, loop);
    outcome_watch_init(&shared.outcome_watch);
    assert_true(due_watch_take(&shared.due_watch, 0, 0, NOW_MS)); /* nobody asks for a while */
    due_watch_leave(&shared.due_watch, 0);
    return attempts_init(&attempts, PLACES / 3, NULL, &error) &&
                   recorder_init(&recorder, &shared, &attempts, &error)
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    recorder_fini(&recorder);
    attempts_fini(&attempts);
    due_watch_fini(&shared.due_watch);
    outcome_watch_fini(&shared.outcome_watch);
    event_loop_destroy(loop);
    return 0;
}

static void finish_attempt_of(const char *id, enum settle_action action, int64_t delay_ms)
{
    const struct claim claim = {
        .application_id = id, .seek_token = "token", .event_id = "", .traceparent = ""};
    struct attempt *attempt = attempts_take(&attempts, &claim, NOW_MS);
    assert_non_null(attempt);
    attempt->action = action;
    attempt->delay_ms = delay_ms;
    attempts_move(&attempts, attempt, ATTEMPT_FINISHED);
}

static void finish_attempt(enum settle_action action, int64_t delay_ms)
{
    finish_attempt_of("A-1", action, delay_ms);
}

static void answer(enum store_status status, enum settle_outcome outcome)
{
    const struct store_failure failure = {.status = status};
    const enum settle_outcome outcomes[PLACES] = {outcome, outcome, outcome};
    assert_non_null(asked.done);
    asked.done(asked.context, &failure, status == STORE_OK ? outcomes : NULL,
               status == STORE_OK ? asked.count : 0);
}

static void lets_look_when_something_becomes_due(void **state)
{
    (void)state;
    static const struct {
        enum settle_action action;
        int64_t delay_ms;
        enum settle_outcome outcome;
        int64_t wait_ms; /* until somebody asks for what is due */
    } rows[] = {
        {SETTLE_DELIVERED, 0, SETTLED, DUE_WATCH_INTERVAL_MS},
        {SETTLE_DEAD, 0, SETTLED, DUE_WATCH_INTERVAL_MS},
        {SETTLE_RETRY, 20, SETTLED, 20},
        {SETTLE_RETRY, 5000, SETTLED, DUE_WATCH_INTERVAL_MS},
        {SETTLE_RELEASE, 0, SETTLED, 0},
        /* A newer seek-token waited for the end of this attempt, whatever it came to. */
        {SETTLE_DELIVERED, 0, SETTLE_FENCED, 0},
        {SETTLE_RETRY, 5000, SETTLE_FENCED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atomic_store(&shared.due_watch.ask_at_ms, NOW_MS + DUE_WATCH_INTERVAL_MS);
        due_watch_rest(&shared.due_watch, 0);
        finish_attempt(rows[i].action, rows[i].delay_ms);
        recorder_turn(&recorder, NULL, NOW_MS);
        answer(STORE_OK, rows[i].outcome);
        assert_int_equal(atomic_load(&shared.due_watch.slots[0].state),
                         rows[i].wait_ms < DUE_WATCH_INTERVAL_MS ? DUE_WATCH_AWAKE
                                                                 : DUE_WATCH_RESTING);
        assert_int_equal(due_watch_wait_ms(&shared.due_watch, 0, 0, NOW_MS), rows[i].wait_ms);
        assert_int_equal(attempts.counts[ATTEMPT_FREE], PLACES);
    }
}

/* Once Redis has it: before, a look would find the attempt still out. */
static void calls_who_waits_for_a_final_state(void **state)
{
    (void)state;
    static const struct {
        enum settle_action action;
        enum settle_outcome outcome;
        bool is_called;
    } rows[] = {
        {SETTLE_DELIVERED, SETTLED, true}, {SETTLE_DEAD, SETTLED, true},
        {SETTLE_DAMAGED, SETTLED, true},   {SETTLE_RETRY, SETTLED, false},
        {SETTLE_RELEASE, SETTLED, false},  {SETTLE_DELIVERED, SETTLE_FENCED, false},
    };
    _Atomic bool is_called;
    struct outcome_waiter waiter = {.application_id = "A-1", .loop = loop, .is_called = &is_called};
    outcome_watch_add(&shared.outcome_watch, &waiter);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atomic_store(&is_called, false);
        finish_attempt(rows[i].action, 0);
        recorder_turn(&recorder, NULL, NOW_MS);
        assert_false(atomic_load(&is_called));
        answer(STORE_OK, rows[i].outcome);
        assert_int_equal(atomic_load(&is_called), rows[i].is_called);
    }
    outcome_watch_remove(&shared.outcome_watch, &waiter);
}

static void gathers_while_one_batch_is_on_its_way(void **state)
{
    (void)state;
    finish_attempt(SETTLE_RELEASE, 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    finish_attempt(SETTLE_RELEASE, 0);
    finish_attempt(SETTLE_RELEASE, 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(asked.calls, 1);
    answer(STORE_OK, SETTLED);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(asked.calls, 2);
    assert_int_equal(asked.count, 2);
    answer(STORE_OK, SETTLED);
}

static void repeats_what_may_be_lost(void **state)
{
    (void)state;
    finish_attempt(SETTLE_DELIVERED, 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    answer(STORE_UNAVAILABLE, SETTLED);
    assert_int_equal(attempts.counts[ATTEMPT_FINISHED], 1);
    recorder_turn(&recorder, NULL, NOW_MS); /* not in a loop, should nobody understand the answer */
    assert_int_equal(asked.calls, 1);
    recorder_turn(&recorder, NULL, NOW_MS + 100);
    assert_int_equal(asked.calls, 2);
    assert_int_equal(asked.first.action, SETTLE_DELIVERED);
    answer(STORE_REFUSED, SETTLED);
    recorder_turn(&recorder, NULL, NOW_MS); /* it rests after a refusal */
    assert_int_equal(asked.calls, 2);
    recorder_turn(&recorder, NULL, NOW_MS + 1000);
    assert_int_equal(asked.calls, 3);
    answer(STORE_OK, SETTLED);
    assert_int_equal(attempts.counts[ATTEMPT_FREE], PLACES);
}

/* The worker's loop may rest for so long. */
static void says_when_it_goes_on(void **state)
{
    (void)state;
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), -1);
    finish_attempt(SETTLE_DELIVERED, 0);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), -1); /* the answer wakes it */
    answer(STORE_OK, SETTLE_UNDONE);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 1000);
    recorder_turn(&recorder, NULL, NOW_MS + 999);
    assert_int_equal(asked.calls, 1);
    finish_attempt(SETTLE_DELIVERED, 0);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 0); /* of another shard perhaps */
    recorder_turn(&recorder, NULL, NOW_MS);
    answer(STORE_REFUSED, SETTLE_UNDONE);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 1000);
    recorder_turn(&recorder, NULL, NOW_MS + 1000);
    assert_int_equal(asked.calls, 3);
    answer(STORE_OK, SETTLED);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), -1);
}

/* However many they are: a batch has room for fewer. */
static void records_what_stands_behind_those_of_a_shard_that_is_away(void **state)
{
    enum { MANY = 300 };
    struct error error;
    (void)state;
    recorder_fini(&recorder);
    attempts_fini(&attempts);
    assert_true(attempts_init(&attempts, MANY, NULL, &error));
    assert_true(recorder_init(&recorder, &shared, &attempts, &error));
    is_away = true;
    for (int i = 0; i < MANY; i++)
        finish_attempt_of("B-1", SETTLE_DELIVERED, 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(asked.calls, 0);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 1000);
    finish_attempt_of("A-1", SETTLE_DELIVERED, 0);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(asked.count, 1);
    assert_string_equal(asked.first.application_id, "A-1");
    answer(STORE_OK, SETTLED);
    assert_int_equal(attempts.counts[ATTEMPT_FINISHED], MANY);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(asked.calls, 1);
    is_away = false;
    recorder_turn(&recorder, NULL, NOW_MS + 1000);
    assert_int_equal(asked.calls, 2);
    assert_string_equal(asked.first.application_id, "B-1");
}

static void answer_brake(enum store_status status)
{
    const struct store_failure failure = {.status = status};
    assert_non_null(braked.done);
    braked.done(braked.context, &failure);
}

static void records_on_while_no_pause_is_taken(void **state)
{
    (void)state;
    atomic_store(&shared.is_pause_wanted, true);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(braked.calls, 1);
    answer_brake(STORE_UNAVAILABLE);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 1000);
    finish_attempt(SETTLE_DELIVERED, 0);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), 0);
    recorder_turn(&recorder, NULL, NOW_MS);
    assert_int_equal(asked.calls, 1);
    answer(STORE_REFUSED, SETTLED);
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS + 500), 500);
    recorder_turn(&recorder, NULL, NOW_MS + 999);
    assert_int_equal(braked.calls, 1);
    recorder_turn(&recorder, NULL, NOW_MS + 1000);
    assert_int_equal(braked.calls, 2);
    assert_int_equal(asked.calls, 2);
    answer(STORE_OK, SETTLED);
    answer_brake(STORE_OK);
    assert_false(atomic_load(&shared.is_pause_wanted));
    assert_int_equal(recorder_timeout_ms(&recorder, NOW_MS), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("says when it goes on", says_when_it_goes_on, begin, end),
        IT_WITH("lets workers look when something becomes due",
                lets_look_when_something_becomes_due, begin, end),
        IT_WITH("calls who waits for a final state, once it is recorded",
                calls_who_waits_for_a_final_state, begin, end),
        IT_WITH("gathers while one batch is on its way", gathers_while_one_batch_is_on_its_way,
                begin, end),
        IT_WITH("records on while no pause is taken", records_on_while_no_pause_is_taken, begin,
                end),
        IT_WITH("repeats what may be lost", repeats_what_may_be_lost, begin, end),
        IT_WITH("records what stands behind those of a shard that is away",
                records_what_stands_behind_those_of_a_shard_that_is_away, begin, end),
    };
    return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
