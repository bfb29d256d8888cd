/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/recorder.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

enum {
    RECORD_MAX = 256, /* a script must not hold Redis for long */
    REST_MS = 1000,
    LOST_MS = 100, /* an answer that nobody understands must not be asked for in a loop */
};

bool recorder_init(struct recorder *recorder, struct worker_shared *shared,
                   struct attempts *attempts, struct error *error)
{
    *recorder = (struct recorder){.shared = shared, .attempts = attempts};
    size_t size = attempts->size < RECORD_MAX ? attempts->size : RECORD_MAX;
    recorder->sent = calloc(size, sizeof(struct attempt *));
    recorder->batch = calloc(size, sizeof *recorder->batch);
    return (recorder->sent != NULL && recorder->batch != NULL) || error_out_of_memory(error);
}

void recorder_fini(struct recorder *recorder)
{
    free(recorder->sent);
    free(recorder->batch);
}

static void note_recorded(struct worker_shared *shared, const struct attempt *attempt,
                          enum settle_outcome outcome, int64_t now_ms)
{
    switch (outcome) {
    case SETTLED:
        if (attempt->action == SETTLE_RETRY || attempt->action == SETTLE_RELEASE)
            due_watch_note(&shared->due_watch, now_ms + attempt->delay_ms);
        else
            outcome_watch_note(&shared->outcome_watch, attempt->application_id);
        break;
    case SETTLE_FENCED:
        /* The newer seek-token waited for this end and is due now. */
        due_watch_note(&shared->due_watch, now_ms);
        metric_add(&shared->metrics[OUTBOUND_FENCED], 1);
        log_info("settlement_fenced",
                 "The application changed during this attempt, so the outcome does not count",
                 LOG_TEXT("application", attempt->application_id),
                 LOG_TEXT("event_id", attempt->event_id), LOG_INT("attempt", attempt->number));
        break;
    case SETTLE_UNDONE: /* kept */
        break;
    }
}

static void note_failure(struct recorder *recorder, const struct store_failure *failure)
{
    bool is_refused = failure->status == STORE_REFUSED;
    recorder->rest_until_ms = clock_monotonic_ms() + (is_refused ? REST_MS : LOST_MS);
    if (!is_refused)
        return; /* the store says itself when its connection breaks */
    if (worker_shared_turn(&recorder->shared->is_store_refusing, true))
        log_warn("settlement_refused",
                 "Redis does not record outcomes; they are kept and recorded later",
                 LOG_TEXT("detail", failure->detail));
}

static void note_success(struct recorder *recorder)
{
    if (worker_shared_turn(&recorder->shared->is_store_refusing, false))
        log_info("settlement_accepted", "Redis records outcomes again");
}

/* `outcomes` NULL: nothing was recorded. What was not waits for the next time; gives its number. */
static size_t finish_all(struct recorder *recorder, const enum settle_outcome *outcomes)
{
    int64_t now_ms = clock_monotonic_ms();
    size_t undone = 0;
    for (size_t i = 0; i < recorder->sent_count; i++) {
        struct attempt *attempt = recorder->sent[i];
        assert(attempt->state == ATTEMPT_SETTLING);
        if (outcomes != NULL)
            note_recorded(recorder->shared, attempt, outcomes[i], now_ms);
        bool is_done = outcomes != NULL && outcomes[i] != SETTLE_UNDONE;
        attempts_move(recorder->attempts, attempt, is_done ? ATTEMPT_FREE : ATTEMPT_FINISHED);
        undone += !is_done;
    }
    recorder->sent_count = 0;
    return undone;
}

/* What comes meanwhile goes on. */
static void wait_for_shards(struct recorder *recorder, size_t undone, int64_t now_ms)
{
    recorder->undone_count = undone;
    recorder->retry_at_ms = now_ms + REST_MS;
}

static void on_recorded(void *context, const struct store_failure *failure,
                        const enum settle_outcome *outcomes, size_t count)
{
    struct recorder *recorder = context;
    bool is_recorded = failure->status == STORE_OK;
    assert(recorder->sent_count == recorder->attempts->counts[ATTEMPT_SETTLING]);
    assert(!is_recorded || count == recorder->sent_count);
    size_t undone = finish_all(recorder, is_recorded ? outcomes : NULL);
    assert(recorder->attempts->counts[ATTEMPT_SETTLING] == 0);
    if (is_recorded)
        note_success(recorder);
    else
        note_failure(recorder, failure);
    recorder->undone_count = 0;
    if (is_recorded && undone > 0)
        wait_for_shards(recorder, undone, clock_monotonic_ms());
}

static bool was_sent(const struct attempt *attempt)
{
    return attempt->action != SETTLE_RELEASE && attempt->action != SETTLE_DAMAGED;
}

/* What a shard that is away cannot take is passed over: it would fill the batch in the end. */
static size_t gather(struct recorder *recorder, const struct store *store)
{
    size_t count = 0;
    struct attempt *attempt;
    TAILQ_FOREACH(attempt, &recorder->attempts->lists[ATTEMPT_FINISHED], links)
    {
        assert(count < recorder->attempts->size && attempt->state == ATTEMPT_FINISHED);
        if (!store_leads_to(store, attempt->application_id))
            continue;
        recorder->sent[count] = attempt;
        recorder->batch[count++] = (struct settlement){
            .application_id = attempt->application_id,
            .generation = attempt->generation,
            .action = attempt->action,
            .delay_ms = attempt->delay_ms,
            .verdict = was_sent(attempt) ? &attempt->verdict : NULL,
            .damage = attempt->damage,
        };
        if (count == RECORD_MAX)
            break;
    }
    return count;
}

static void on_paused(void *context, const struct store_failure *failure)
{
    struct recorder *recorder = context;
    assert(recorder->is_pausing);
    recorder->is_pausing = false;
    if (failure->status == STORE_OK)
        atomic_store(&recorder->shared->is_pause_wanted, false);
    else
        recorder->pause_at_ms = clock_monotonic_ms() + REST_MS;
}

static bool is_pause_to_ask(const struct recorder *recorder)
{
    return !recorder->is_pausing &&
           atomic_load_explicit(&recorder->shared->is_pause_wanted, memory_order_relaxed);
}

/* Of all processes on this Redis: they would meet the same refusals. */
static void pause_if_wanted(struct recorder *recorder, struct store *store, int64_t now_ms)
{
    struct error error;
    if (!is_pause_to_ask(recorder) || now_ms < recorder->pause_at_ms)
        return;
    recorder->is_pausing = store_brake(store, on_paused, recorder, &error);
    if (!recorder->is_pausing)
        recorder->pause_at_ms = now_ms + REST_MS;
}

/* Where something is finished. */
static int64_t record_at_ms(const struct recorder *recorder)
{
    bool is_any_new = recorder->attempts->counts[ATTEMPT_FINISHED] > recorder->undone_count;
    return is_any_new || recorder->retry_at_ms < recorder->rest_until_ms ? recorder->rest_until_ms
                                                                         : recorder->retry_at_ms;
}

int64_t recorder_timeout_ms(const struct recorder *recorder, int64_t now_ms)
{
    int64_t at_ms = INT64_MAX;
    if (recorder->sent_count == 0 && recorder->attempts->counts[ATTEMPT_FINISHED] > 0)
        at_ms = record_at_ms(recorder);
    if (is_pause_to_ask(recorder) && recorder->pause_at_ms < at_ms)
        at_ms = recorder->pause_at_ms;
    if (at_ms == INT64_MAX)
        return -1;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

void recorder_turn(struct recorder *recorder, struct store *store, int64_t now_ms)
{
    pause_if_wanted(recorder, store, now_ms);
    if (recorder->sent_count > 0 || recorder->attempts->counts[ATTEMPT_FINISHED] == 0 ||
        now_ms < record_at_ms(recorder))
        return;
    size_t count = gather(recorder, store);
    struct error error;
    if (count == 0) {
        wait_for_shards(recorder, recorder->attempts->counts[ATTEMPT_FINISHED], now_ms);
        return;
    }
    if (!store_settle(store, recorder->batch, count, on_recorded, recorder, &error)) {
        recorder->rest_until_ms = now_ms + REST_MS;
        log_debug("settlement_delayed", "The outcome is kept and recorded later",
                  LOG_TEXT("detail", error.message));
        return;
    }
    for (size_t i = 0; i < count; i++)
        attempts_move(recorder->attempts, recorder->sent[i], ATTEMPT_SETTLING);
    recorder->sent_count = count;
    assert(recorder->sent_count == recorder->attempts->counts[ATTEMPT_SETTLING]);
}
