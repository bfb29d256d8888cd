/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost: a claimer says that it rests before it looks whether something is due; a
 * waker first makes it due and then looks for one that rests. Whatever the order, one of the two
 * sees the other. In the same way one that becomes unable says so before it gives back the watch
 * and wakes another. And nobody rests for longer than CLAIMER_WAIT_MAX_MS.
 */
#include "service/outbound/claimer.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum {
    CLAIM_MAX = 128, /* a script must not hold Redis for long */
    TROUBLE_MS = 1000,
    LOST_MS = 100, /* an answer that nobody understands must not be asked for in a loop */
    PLACE_WAIT_MAX_MS = 1000, /* meanwhile nobody else can send it */
    /* Left to the keeper of the watch. At work itself, it helps one that has its hands full. */
    PATIENCE_BUSY_MS = 20,
    PATIENCE_IDLE_MS = CLAIMER_WAIT_MAX_MS - DUE_WATCH_INTERVAL_MS,
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* False: the stop leaves no time for another attempt. */
static bool may_begin(const struct claimer *claimer, int64_t now_ms)
{
    const struct worker_shared *shared = claimer->shared;
    int64_t stop_at_ms = atomic_load(&shared->stop_at_ms);
    return stop_at_ms == WORKER_RUNS || now_ms + (int64_t)shared->upstream.timeout_ms <= stop_at_ms;
}

/* --- what came --------------------------------------------------------------------- */

/* The lease has to outlast the attempt: after a long silence (of Redis, or of this process) what
 * was claimed may be somebody else's by the end of it. */
static int64_t begin_until_ms(const struct claimer *claimer)
{
    const struct worker_shared *shared = claimer->shared;
    return claimer->claimed_at_ms + shared->store.lease_ms - (int64_t)shared->upstream.timeout_ms;
}

static void note_expired_lease(const struct claim *claim)
{
    log_warn("lease_expired", "the last attempt never reported back; the signal is sent again",
             LOG_TEXT("application", claim->application_id), LOG_TEXT("event_id", claim->event_id),
             LOG_INT("attempt", claim->attempt));
}

static void release(struct claimer *claimer, struct attempt *attempt, const char *reason)
{
    log_debug("claim_released", "it was not sent", LOG_TEXT("event_id", attempt->event_id),
              LOG_TEXT("reason", reason));
    attempt->action = SETTLE_RELEASE;
    attempt->delay_ms = 0;
    attempts_move(claimer->attempts, attempt, ATTEMPT_FINISHED);
}

static struct attempt *first_claimed(const struct claimer *claimer)
{
    return TAILQ_FIRST(&claimer->attempts->lists[ATTEMPT_CLAIMED]);
}

/* Whether it is on its way, and a place of the gate with it. */
static bool start(struct claimer *claimer, struct attempt *attempt, bool may_send)
{
    struct error error = {.message = "too late, stopping, or the access token is gone"};
    int64_t now_ms = clock_monotonic_ms(); /* of each: libcurl may take its time */
    if (may_send && now_ms <= attempt->begin_until_ms &&
        sender_send(claimer->sender, attempt, &error))
        return true;
    release(claimer, attempt, error.message);
    claimer->rest_until_ms = now_ms + TROUBLE_MS;
    return false;
}

/* What found no place. With nothing in flight, no place becomes free here. */
static void release_surplus(struct claimer *claimer, int64_t now_ms)
{
    bool is_idle = claimer->attempts->counts[ATTEMPT_SENDING] == 0;
    struct attempt *attempt;
    while ((attempt = first_claimed(claimer)) != NULL &&
           (is_idle || now_ms > attempt->claimed_at_ms + PLACE_WAIT_MAX_MS))
        release(claimer, attempt, "no place became free for it");
}

/* Sends what was claimed, on `places` of the gate that it has and as many more as it gives. */
static void start_claimed(struct claimer *claimer, size_t places, int64_t now_ms)
{
    size_t claimed = claimer->attempts->counts[ATTEMPT_CLAIMED];
    size_t wanted = smaller(claimed, attempts_room(claimer->attempts));
    int64_t wait_ms;
    if (wanted > places)
        places += sending_gate_enter(claimer->shared->gate, wanted - places, now_ms, &wait_ms);
    bool may_send = claimed > 0 && may_begin(claimer, now_ms) &&
                    authorizer_prepare(claimer->authorizer, now_ms, &wait_ms);
    struct attempt *attempt;
    while ((places > 0 || !may_send) && (attempt = first_claimed(claimer)) != NULL)
        places -= start(claimer, attempt, may_send) ? 1 : 0;
    sending_gate_return(claimer->shared->gate, places);
    release_surplus(claimer, now_ms);
}

static void take_all(struct claimer *claimer, const struct claim_result *result, int64_t now_ms)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct claim *claim = &result->claims[i];
        if (claim->was_expired)
            note_expired_lease(claim);
        struct attempt *attempt = attempts_take(claimer->attempts, claim, now_ms);
        if (attempt != NULL)
            attempt->begin_until_ms = begin_until_ms(claimer);
        else
            log_error("claim_unusable", "left to its lease", LOG_TEXT("event_id", claim->event_id));
    }
}

static void note_next_due(struct worker_shared *shared, const struct claim_result *result)
{
    atomic_store(&shared->due_count, (int64_t)result->due_count);
    if (result->next_due_in_ms >= 0)
        (void)due_watch_lower(&shared->due_watch, clock_monotonic_ms() + result->next_due_in_ms);
}

static void note_pause(struct worker_shared *shared, bool is_paused)
{
    if (!worker_shared_turn(&shared->is_paused, is_paused))
        return;
    if (is_paused)
        log_warn("sending_paused", "an operator paused sending; events are still taken");
    else
        log_info("sending_resumed", "sending goes on");
}

static void note_clock(struct worker_shared *shared, size_t mended_count)
{
    if (worker_shared_turn(&shared->is_clock_set_back, mended_count > 0) && mended_count > 0)
        log_warn("redis_clock_set_back",
                 "Redis's clock was set back; what was due by the old time is due by the new one");
}

static void on_claimed(void *context, const struct store_failure *failure,
                       const struct claim_result *result)
{
    struct claimer *claimer = context;
    size_t places = claimer->places;
    int64_t now_ms = clock_monotonic_ms();
    claimer->is_claiming = false;
    claimer->places = 0;
    claimer->expected = 0;
    switch (failure->status) {
    case STORE_OK:
        claimer->is_claim_lost = false;
        claimer->expected = (size_t)(claimer->attempts->sent_count - claimer->sent_count);
        take_all(claimer, result, now_ms);
        note_next_due(claimer->shared, result);
        note_pause(claimer->shared, result->is_paused);
        note_clock(claimer->shared, result->mended_count);
        start_claimed(claimer, places, now_ms);
        return;
    case STORE_REFUSED:
        claimer->rest_until_ms = now_ms + TROUBLE_MS;
        log_debug("claim_refused", "asked again later", LOG_TEXT("detail", failure->detail));
        break;
    case STORE_UNAVAILABLE: /* the store says itself that it is away, and when it is back */
        claimer->is_claim_lost = true;
        claimer->rest_until_ms = now_ms + LOST_MS;
        break;
    }
    sending_gate_return(claimer->shared->gate, places);
}

/* --- the watch --- */

/* Or rests for a while. */
void claimer_end(struct claimer *claimer)
{
    atomic_store(&claimer->state, CLAIMER_UNABLE);
    if (due_watch_give_back(&claimer->shared->due_watch, claimer->worker))
        worker_shared_wake_one(claimer->shared);
}

/* --- asking ------------------------------------------------------------------------ */

/* For the places, which it takes over, and so many ahead. */
static int64_t send_claim(struct claimer *claimer, size_t places, size_t ahead, int64_t now_ms)
{
    struct error error;
    claimer->claimed_at_ms = now_ms;
    claimer->sent_count = claimer->attempts->sent_count;
    if (store_claim(claimer->store, places + ahead, on_claimed, claimer, &error)) {
        claimer->is_claiming = true;
        claimer->places = places;
        return CLAIMER_WAIT_MAX_MS;
    }
    sending_gate_return(claimer->shared->gate, places);
    claimer->rest_until_ms = now_ms + TROUBLE_MS;
    (void)due_watch_lower(&claimer->shared->due_watch, now_ms);
    claimer_end(claimer); /* another worker may be able to */
    log_debug("claim_delayed", "asked again later", LOG_TEXT("detail", error.message));
    return TROUBLE_MS;
}

static int64_t patience_ms(const struct claimer *claimer)
{
    const struct attempts *attempts = claimer->attempts;
    bool is_idle = attempts->counts[ATTEMPT_FREE] == attempts->size;
    return is_idle ? PATIENCE_IDLE_MS : PATIENCE_BUSY_MS;
}

/* For places that will have become free when the answer is here. */
static size_t ahead_of(const struct claimer *claimer, size_t places)
{
    const struct attempts *attempts = claimer->attempts;
    size_t room = smaller(attempts_claim_room(attempts), CLAIM_MAX);
    size_t wanted = smaller(claimer->expected, attempts->counts[ATTEMPT_SENDING]);
    wanted = smaller(wanted, room - places);
    return wanted > 0 ? sending_gate_ahead(claimer->shared->gate, wanted) : 0;
}

/* The access token comes first: without one nothing is claimed, and no attempt is spent. What is
 * claimed already comes before anything else. */
static int64_t claim(struct claimer *claimer, int64_t now_ms)
{
    struct worker_shared *shared = claimer->shared;
    if (claimer->is_claim_lost)
        return send_claim(claimer, 0, 0, now_ms); /* whether or not anything can be sent now */
    if (claimer->attempts->counts[ATTEMPT_CLAIMED] > 0)
        return PLACE_WAIT_MAX_MS; /* until one ends */
    int64_t patience = patience_ms(claimer);
    int64_t wait_ms = due_watch_wait_ms(&shared->due_watch, claimer->worker, patience, now_ms);
    if (wait_ms > 0 || !authorizer_prepare(claimer->authorizer, now_ms, &wait_ms))
        return wait_ms;
    size_t wanted =
        smaller(attempts_room(claimer->attempts), attempts_claim_room(claimer->attempts));
    size_t places = sending_gate_enter(shared->gate, smaller(wanted, CLAIM_MAX), now_ms, &wait_ms);
    size_t ahead = ahead_of(claimer, places);
    claimer->is_held_back = places + ahead == 0;
    if (claimer->is_held_back)
        return wait_ms;
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
    return claimer->is_claiming || claimer->attempts->counts[ATTEMPT_CLAIMED] > 0 ||
           (may_begin(claimer, now_ms) &&
            (claimer->authorizer->is_fetching ||
             (claimer->is_held_back && is_gate_open(claimer->shared->gate, now_ms))));
}

/* Where its share is not all that may be in flight, others could take more. */
static bool is_able(const struct claimer *claimer, bool is_store_ready, int64_t now_ms)
{
    const struct worker_shared *shared = claimer->shared;
    bool is_full = attempts_room(claimer->attempts) == 0;
    return is_store_ready && may_begin(claimer, now_ms) && now_ms >= claimer->rest_until_ms &&
           !(is_full && shared->share < shared->in_flight_max);
}

int64_t claimer_turn(struct claimer *claimer, bool is_store_ready, int64_t now_ms)
{
    claimer->is_held_back = false;
    if (claimer->attempts->counts[ATTEMPT_CLAIMED] > 0)
        start_claimed(claimer, 0, now_ms);
    if (claimer->is_claiming)
        return CLAIMER_WAIT_MAX_MS; /* until the answer */
    if (!is_able(claimer, is_store_ready, now_ms)) {
        claimer_end(claimer);
        int64_t rest_ms = claimer->rest_until_ms - now_ms;
        return rest_ms > 0 && rest_ms < CLAIMER_WAIT_MAX_MS ? rest_ms : CLAIMER_WAIT_MAX_MS;
    }
    size_t room = claimer->expected > 0 ? attempts_claim_room(claimer->attempts)
                                        : attempts_room(claimer->attempts);
    if (room == 0) {
        atomic_store(&claimer->state, CLAIMER_AWAKE);
        return CLAIMER_WAIT_MAX_MS; /* until one ends */
    }
    atomic_store(&claimer->state, CLAIMER_RESTING);
    int64_t wait_ms = claim(claimer, now_ms);
    if (claimer->is_claiming)
        atomic_store(&claimer->state, CLAIMER_AWAKE);
    return wait_ms < CLAIMER_WAIT_MAX_MS ? wait_ms : CLAIMER_WAIT_MAX_MS;
}

bool claimer_rouse(struct claimer *claimer)
{
    enum claimer_state resting = CLAIMER_RESTING;
    return atomic_compare_exchange_strong(&claimer->state, &resting, CLAIMER_AWAKE);
}
