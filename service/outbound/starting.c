/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/starting.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { RETRY_MS = 1000 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool starting_may_begin(const struct claimer *claimer, int64_t now_ms)
{
    const struct worker_shared *shared = claimer->shared;
    int64_t stop_at_ms = atomic_load(&shared->stop_at_ms);
    return stop_at_ms == WORKER_RUNS || now_ms + (int64_t)shared->upstream.timeout_ms <= stop_at_ms;
}

/* The lease has to outlast the attempt: after a long silence (of Redis, or of this process) what
 * was claimed may be somebody else's by the end of it. */
static int64_t begin_until_ms(const struct worker_shared *shared, int64_t leased_at_ms)
{
    return leased_at_ms + shared->store.lease_ms - (int64_t)shared->upstream.timeout_ms;
}

static void note_expired_lease(const struct claim *claim)
{
    log_warn("lease_expired",
             "The last attempt never reported its outcome; the signal is sent again",
             LOG_TEXT("application", claim->application_id), LOG_TEXT("event_id", claim->event_id),
             LOG_INT("attempt", claim->attempt));
}

static void note_damaged(struct claimer *claimer, const char *application_id, const char *field)
{
    metric_add(&claimer->shared->metrics[OUTBOUND_DAMAGED], 1);
    log_error("application_damaged",
              "Another program has changed this application in Redis. It is set aside among the "
              "dead until somebody replays it or posts its event again",
              LOG_TEXT("application", application_id), LOG_TEXT("field", field));
}

static void set_aside(struct claimer *claimer, struct attempt *attempt)
{
    assert(attempt->damage != NULL && attempt->state == ATTEMPT_CLAIMED);
    note_damaged(claimer, attempt->application_id, attempt->damage);
    attempt->action = SETTLE_DAMAGED;
    attempt->delay_ms = 0;
    attempts_move(claimer->attempts, attempt, ATTEMPT_FINISHED);
}

static void release(struct claimer *claimer, struct attempt *attempt, const char *reason)
{
    assert(attempt->state == ATTEMPT_CLAIMED);
    log_debug("claim_released", "The signal was claimed and not sent",
              LOG_TEXT("event_id", attempt->event_id), LOG_TEXT("reason", reason));
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
    claimer->rest_until_ms = now_ms + RETRY_MS;
    return false;
}

/* What found no place. With nothing in flight, no place becomes free here. */
static void release_surplus(struct claimer *claimer, int64_t now_ms)
{
    bool is_idle = claimer->attempts->counts[ATTEMPT_SENDING] == 0;
    struct attempt *attempt;
    while ((attempt = first_claimed(claimer)) != NULL &&
           (is_idle || now_ms > attempt->claimed_at_ms + STARTING_WAIT_MAX_MS))
        release(claimer, attempt, "no place became free for it");
}

/* Those that were handed over have taken room that a claim had counted upon: what places it has
 * beyond the room go back, and what waits claimed asks anew. */
static size_t count_usable(struct claimer *claimer, size_t places)
{
    size_t room = attempts_room(claimer->attempts);
    if (places <= room)
        return places;
    sending_gate_return(claimer->shared->gate, places - room);
    return room;
}

void starting_start(struct claimer *claimer, size_t places, int64_t now_ms)
{
    places = count_usable(claimer, places);
    size_t claimed = claimer->attempts->counts[ATTEMPT_CLAIMED];
    size_t wanted = smaller(claimed, attempts_room(claimer->attempts));
    int64_t wait_ms;
    if (wanted > places)
        places += sending_gate_enter(claimer->shared->gate, wanted - places, now_ms, &wait_ms);
    bool may_send = claimed > 0 && starting_may_begin(claimer, now_ms) &&
                    authorizer_prepare(claimer->authorizer, now_ms, &wait_ms);
    struct attempt *attempt;
    while ((places > 0 || !may_send) && (attempt = first_claimed(claimer)) != NULL)
        places -= start(claimer, attempt, may_send) ? 1 : 0;
    sending_gate_return(claimer->shared->gate, places);
    release_surplus(claimer, now_ms);
}

/* --- what came --------------------------------------------------------------------- */

/* NULL: it is seen to already, or nothing can be done with it. */
static struct attempt *take(struct claimer *claimer, const struct claim *claim,
                            int64_t leased_at_ms, int64_t now_ms)
{
    assert(leased_at_ms <= now_ms);
    struct attempt *attempt = attempts_take(claimer->attempts, claim, now_ms);
    if (attempt == NULL) {
        log_error("claim_unusable",
                  "The application cannot be processed now. It is tried again when its lease ends",
                  LOG_TEXT("event_id", claim->event_id));
        return NULL;
    }
    if (attempt->damage != NULL) {
        set_aside(claimer, attempt);
        return NULL;
    }
    attempt->begin_until_ms = begin_until_ms(claimer->shared, leased_at_ms);
    return attempt;
}

void starting_take(struct claimer *claimer, const struct claim_result *result, int64_t now_ms)
{
    for (size_t i = 0; i < result->damaged_count; i++)
        note_damaged(claimer, result->damaged[i].application_id, result->damaged[i].field);
    for (size_t i = 0; i < result->count; i++) {
        if (result->claims[i].was_expired)
            note_expired_lease(&result->claims[i]);
        (void)take(claimer, &result->claims[i], claimer->claimed_at_ms, now_ms);
    }
}

size_t starting_take_handed(struct claimer *claimer, size_t awaited)
{
    size_t room = attempts_claim_room(claimer->attempts);
    struct handed_list list;
    size_t count =
        handover_take(&claimer->shared->handover, room > awaited ? room - awaited : 0, &list);
    int64_t now_ms = count > 0 ? clock_monotonic_ms() : 0;
    struct handed *handed;
    while ((handed = TAILQ_FIRST(&list)) != NULL) {
        TAILQ_REMOVE(&list, handed, links);
        struct attempt *attempt = take(claimer, &handed->claim, handed->leased_at_ms, now_ms);
        if (attempt != NULL && !handed->is_committed)
            release(claimer, attempt, "its commit fell short");
        free(handed);
    }
    return count;
}
