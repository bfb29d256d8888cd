/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A claim and its places
 *
 * At most one claim is on its way. The state says what is known of it:
 *
 *                     ┌──(something is due, no place)──► held back
 *                     │  ┌─────────(next turn)───────────────┘
 *                     │  ▼
 *              ┌───► idle ───(sent)───► claiming ───(refused)───► idle
 *              │      ▲                 │      │
 *              │      └────(answered)───┘   (lost)
 *              │                               ▼
 *         (answered)                          lost ◄───(lost, or refused)───┐
 *              │                               └─────(sent)─────► recovering
 *              └────────────────────────────────────────────────────────┘
 *
 * A turn with no claim on its way goes through these in order, and ends at the first that fails:
 *
 *     1   what the intake leased is taken over, with its places (handover.h); what waits, claimed,
 *         starts on places that are free by now
 *     2   this worker is able: Redis, room for an attempt, time, no trouble    else it leaves
 *     3   it says that it rests, before it looks: see due_watch.c
 *     4   after a lost answer: a claim for nothing, whether or not anything can be sent; the store
 *         gives back with each claim what the one before took, where no answer has settled it
 *     5   nothing waits, claimed: that comes first
 *     6   nobody has outcomes to record, since Redis was away (absence.h); else the first worker
 *         claims nothing, so that somebody owns the watch and new events are leased meanwhile
 *     7   something is due, and it is this worker's to ask
 *     8   there is an access token
 *     9   the gate gives places, or others are about to leave theirs           else held back
 *     10  the watch is taken: nobody else was faster               else the places go back
 *     11  the claim is sent, and the worker stays awake for its answer
 *
 * Each place that the gate gives ends in one of two ways: a signal starts on it, and leaves it when
 * it comes back from SEEK; or it is returned. From 9 to the answer the claimer holds them, in
 * `places_reserved` while the claim is on its way. The answer brings
 *
 *     fewer signals than places      the rest of the places is returned
 *     more, as it asked ahead        more places are asked for; what gets none waits, claimed
 *     a refusal, or never comes      all places are returned
 *
 * How far ahead, is what the last claim has seen:
 *
 *     claim n       asked ├──────────────────────────┤ answered
 *     from SEEK                 ▲     ▲       ▲              returned_meanwhile = 3
 *     claim n + 1                    asked for: places + 3 ├──────────────────────────┤
 */
#include "service/outbound/claimer.h"

#include <assert.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/outbound/starting.h"

enum {
    RETRY_MS = 1000,
    LOST_MS = 100, /* an answer that nobody understands must not be asked for in a loop */
    /* Left to the owner of the watch. At work itself, it helps one that has its hands full. */
    PATIENCE_BUSY_MS = 20,
    PATIENCE_DEPUTY_MS = 3000,
    PATIENCE_IDLE_MS = CLAIMER_WAIT_MAX_MS - DUE_WATCH_IDLE_INTERVAL_MS,
};

#define TO(state) (1U << (state))

static const unsigned allowed[CLAIMER_STATE_COUNT] = {
    [CLAIMER_IDLE] = TO(CLAIMER_HELD_BACK) | TO(CLAIMER_CLAIMING),
    [CLAIMER_HELD_BACK] = TO(CLAIMER_IDLE),
    [CLAIMER_CLAIMING] = TO(CLAIMER_IDLE) | TO(CLAIMER_LOST),
    [CLAIMER_LOST] = TO(CLAIMER_RECOVERING),
    [CLAIMER_RECOVERING] = TO(CLAIMER_IDLE) | TO(CLAIMER_LOST),
};

/* The sole writer of `state`. */
static void move(struct claimer *claimer, enum claimer_state next)
{
    assert((allowed[claimer->state] & TO(next)) != 0);
    assert(claimer->places_reserved == 0 || next == CLAIMER_CLAIMING);
    assert(claimer->places_reserved <= claimer->asked_for);
    claimer->state = next;
}

static bool is_asking(const struct claimer *claimer)
{
    return claimer->state == CLAIMER_CLAIMING || claimer->state == CLAIMER_RECOVERING;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* --- what came --------------------------------------------------------------------- */

static void note_next_due(struct worker_shared *shared, const struct claim_result *result)
{
    atomic_store(&shared->due_count, (int64_t)result->due_count);
    due_watch_note_found(&shared->due_watch, result->due_count == 0 && result->count == 0);
    if (result->next_due_in_ms >= 0)
        (void)due_watch_lower(&shared->due_watch, clock_monotonic_ms() + result->next_due_in_ms);
}

/* Whether the places are what keeps something that is due waiting, beside what the claim took. */
static void note_behind(const struct claimer *claimer, const struct claim_result *result)
{
    bool is_behind = result->next_due_in_ms == 0 && result->count >= claimer->asked_for;
    if (claimer->asked_for > 0)
        atomic_store(&claimer->shared->is_behind, is_behind);
}

static void note_pause(struct worker_shared *shared, bool is_paused)
{
    if (!worker_shared_turn(&shared->is_paused, is_paused))
        return;
    if (is_paused)
        log_warn("sending_paused", "Sending is paused; events are still accepted");
    else
        log_info("sending_resumed", "Sending goes on");
}

static void note_clock(struct worker_shared *shared, size_t repaired_count)
{
    if (worker_shared_turn(&shared->is_clock_set_back, repaired_count > 0) && repaired_count > 0)
        log_warn(
            "redis_clock_set_back",
            "Redis's clock was set back; the times at which signals are due were moved back too");
}

static void on_claimed(void *context, const struct store_failure *failure,
                       const struct claim_result *result)
{
    struct claimer *claimer = context;
    assert(is_asking(claimer) && claimer->places_reserved <= claimer->asked_for);
    size_t places = claimer->places_reserved;
    int64_t now_ms = clock_monotonic_ms();
    claimer->places_reserved = 0;
    claimer->returned_meanwhile = 0;
    switch (failure->status) {
    case STORE_OK:
        move(claimer, CLAIMER_IDLE);
        if (result->count > 0)
            claim_limit_succeed(&claimer->limit);
        claimer->returned_meanwhile =
            (size_t)(claimer->attempts->returned_count - claimer->returned_at_claim);
        starting_take(claimer, result, now_ms);
        note_next_due(claimer->shared, result);
        note_behind(claimer, result);
        note_pause(claimer->shared, result->is_paused);
        note_clock(claimer->shared, result->repaired_count);
        starting_start(claimer, places, now_ms);
        return;
    case STORE_REFUSED:
    case STORE_DAMAGED: /* of one application: no answer to a claim */
        move(claimer, claimer->state == CLAIMER_RECOVERING ? CLAIMER_LOST : CLAIMER_IDLE);
        claimer->rest_until_ms = now_ms + RETRY_MS;
        log_debug("claim_refused", "The next claim follows later",
                  LOG_TEXT("detail", failure->detail));
        break;
    case STORE_UNAVAILABLE: /* the store says itself that it is away, and when it is back */
        move(claimer, CLAIMER_LOST);
        if (claim_limit_halve(&claimer->limit, claimer->asked_for))
            metric_add(&claimer->shared->metrics[OUTBOUND_CLAIMS_HALVED], 1);
        claimer->rest_until_ms = now_ms + LOST_MS;
        break;
    }
    sending_gate_return(claimer->shared->gate, places);
}

/* --- asking ------------------------------------------------------------------------ */

/* For the places, which it takes over, and so many ahead. */
static int64_t send_claim(struct claimer *claimer, size_t places, size_t ahead, int64_t now_ms)
{
    assert(!is_asking(claimer) && claimer->places_reserved == 0);
    struct error error;
    claimer->claimed_at_ms = now_ms;
    claimer->returned_at_claim = claimer->attempts->returned_count;
    claimer->asked_for = places + ahead;
    if (store_claim(claimer->store, places + ahead, on_claimed, claimer, &error)) {
        claimer->places_reserved = places;
        move(claimer, claimer->state == CLAIMER_LOST ? CLAIMER_RECOVERING : CLAIMER_CLAIMING);
        return CLAIMER_WAIT_MAX_MS;
    }
    sending_gate_return(claimer->shared->gate, places);
    claimer->rest_until_ms = now_ms + RETRY_MS;
    (void)due_watch_lower(&claimer->shared->due_watch, now_ms);
    due_watch_leave(&claimer->shared->due_watch, claimer->worker); /* another may be able to */
    log_debug("claim_delayed", "The next claim follows later", LOG_TEXT("detail", error.message));
    return RETRY_MS;
}

static int64_t patience_ms(const struct claimer *claimer)
{
    const struct attempts *attempts = claimer->attempts;
    bool is_idle = attempts->counts[ATTEMPT_FREE] == attempts->size;
    if (!is_idle)
        return PATIENCE_BUSY_MS;
    return due_watch_is_deputy(&claimer->shared->due_watch, claimer->worker) ? PATIENCE_DEPUTY_MS
                                                                             : PATIENCE_IDLE_MS;
}

/* For places that will have become free when the answer is here. */
static size_t ahead_of(const struct claimer *claimer, size_t places)
{
    const struct attempts *attempts = claimer->attempts;
    size_t room = smaller(attempts_claim_room(attempts), claimer->limit.current);
    size_t wanted = smaller(claimer->returned_meanwhile, attempts->counts[ATTEMPT_SENDING]);
    assert(places <= room);
    wanted = smaller(wanted, room - places);
    return wanted > 0 ? sending_gate_ahead(claimer->shared->gate, wanted) : 0;
}

/* Where other shards have nothing due, what is accepted there meanwhile needs places too. Half of
 * them are left to it, unless that was too few for what is due. */
static size_t wanted_by(const struct claimer *claimer)
{
    const struct worker_shared *shared = claimer->shared;
    size_t room = smaller(attempts_room(claimer->attempts), attempts_claim_room(claimer->attempts));
    size_t wanted = smaller(room, claimer->limit.current);
    bool is_shared = worker_shared_has_many_shards(shared) && !atomic_load(&shared->is_behind);
    return is_shared ? (wanted + 1) / 2 : wanted;
}

/* The access token comes first: without one nothing is claimed, and no attempt is spent. What is
 * claimed already comes before anything else. */
static int64_t claim(struct claimer *claimer, int64_t now_ms)
{
    struct worker_shared *shared = claimer->shared;
    if (claimer->state == CLAIMER_LOST)
        return send_claim(claimer, 0, 0, now_ms); /* whether or not anything can be sent now */
    if (claimer->attempts->counts[ATTEMPT_CLAIMED] > 0)
        return STARTING_WAIT_MAX_MS; /* until one ends */
    int64_t patience = patience_ms(claimer);
    if (now_ms < claimer->yields_until_ms) {
        bool is_first = due_watch_owner(&shared->due_watch) == DUE_WATCH_NOBODY &&
                        due_watch_take(&shared->due_watch, claimer->worker, patience, now_ms);
        return is_first ? send_claim(claimer, 0, 0, now_ms) : claimer->yields_until_ms - now_ms;
    }
    int64_t wait_ms = due_watch_wait_ms(&shared->due_watch, claimer->worker, patience, now_ms);
    if (wait_ms > 0 || !authorizer_prepare(claimer->authorizer, now_ms, &wait_ms))
        return wait_ms;
    size_t places = sending_gate_enter(shared->gate, wanted_by(claimer), now_ms, &wait_ms);
    size_t ahead = ahead_of(claimer, places);
    if (places + ahead == 0) {
        move(claimer, CLAIMER_HELD_BACK);
        atomic_store(&shared->is_behind, true);
        return wait_ms;
    }
    if (due_watch_take(&shared->due_watch, claimer->worker, patience, now_ms))
        return send_claim(claimer, places, ahead, now_ms);
    sending_gate_return(shared->gate, places);
    return due_watch_wait_ms(&shared->due_watch, claimer->worker, patience, now_ms);
}

/* Full, or at its rate; but neither SEEK nor the breaker keeps it shut. */
static bool is_gate_open(struct sending_gate *gate, int64_t now_ms)
{
    struct sending_gate_status status;
    sending_gate_status(gate, now_ms, &status);
    return status.breaker == BREAKER_CLOSED && status.throttled_for_ms == 0;
}

bool claimer_is_about_to_begin(const struct claimer *claimer, int64_t now_ms)
{
    return is_asking(claimer) || claimer->attempts->counts[ATTEMPT_CLAIMED] > 0 ||
           !handover_is_idle(&claimer->shared->handover) ||
           (starting_may_begin(claimer, now_ms) &&
            (claimer->authorizer->is_fetching ||
             (claimer->state == CLAIMER_HELD_BACK && is_gate_open(claimer->shared->gate, now_ms))));
}

/* Where its share is not all that may be in flight, others could take more. */
static bool is_able(const struct claimer *claimer, bool is_store_ready, int64_t now_ms)
{
    const struct worker_shared *shared = claimer->shared;
    bool is_full = attempts_room(claimer->attempts) == 0;
    return is_store_ready && starting_may_begin(claimer, now_ms) &&
           now_ms >= claimer->rest_until_ms && !(is_full && shared->share < shared->in_flight_max);
}

int64_t claimer_turn(struct claimer *claimer, bool is_store_ready, int64_t now_ms)
{
    struct due_watch *watch = &claimer->shared->due_watch;
    if (claimer->state == CLAIMER_HELD_BACK)
        move(claimer, CLAIMER_IDLE);
    size_t places = starting_take_handed(claimer, is_asking(claimer) ? claimer->asked_for : 0);
    if (places > 0 || claimer->attempts->counts[ATTEMPT_CLAIMED] > 0)
        starting_start(claimer, places, now_ms);
    if (is_asking(claimer))
        return CLAIMER_WAIT_MAX_MS; /* until the answer */
    if (!is_able(claimer, is_store_ready, now_ms)) {
        due_watch_leave(watch, claimer->worker);
        int64_t rest_ms = claimer->rest_until_ms - now_ms;
        return rest_ms > 0 && rest_ms < CLAIMER_WAIT_MAX_MS ? rest_ms : CLAIMER_WAIT_MAX_MS;
    }
    size_t room = claimer->returned_meanwhile > 0 ? attempts_claim_room(claimer->attempts)
                                                  : attempts_room(claimer->attempts);
    if (room == 0) {
        due_watch_stay_awake(watch, claimer->worker);
        return CLAIMER_WAIT_MAX_MS; /* until one ends */
    }
    due_watch_rest(watch, claimer->worker); /* before it looks: see due_watch.c */
    int64_t wait_ms = claim(claimer, now_ms);
    if (is_asking(claimer))
        due_watch_stay_awake(watch, claimer->worker);
    return wait_ms < CLAIMER_WAIT_MAX_MS ? wait_ms : CLAIMER_WAIT_MAX_MS;
}
