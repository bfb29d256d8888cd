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
    recorder->sent = calloc(size, sizeof *recorder->sent);
    recorder->batch = calloc(size, sizeof *recorder->batch);
    return (recorder->sent != NULL && recorder->batch != NULL) || error_out_of_memory(error);
}

void recorder_fini(struct recorder *recorder)
{
    free(recorder->sent);
    free(recorder->batch);
}

/* To its own worker, or to whichever keeps the watch. */
static void note_due(struct worker_shared *shared, int64_t at_ms)
{
    if (due_watch_lower(&shared->due_watch, at_ms))
        worker_shared_wake_one(shared);
}

static void note_recorded(struct worker_shared *shared, const struct attempt *attempt,
                          enum settle_outcome outcome, int64_t now_ms)
{
    switch (outcome) {
    case SETTLED:
        if (attempt->action == SETTLE_RETRY || attempt->action == SETTLE_RELEASE)
            note_due(shared, now_ms + attempt->delay_ms);
        break;
    case SETTLE_FENCED:
        /* The newer seek-token waited for this end and is due now. */
        note_due(shared, now_ms);
        outbound_metrics_count(&shared->metrics, OUTBOUND_FENCED);
        log_info("settlement_fenced", "the application moved on while this attempt was sent",
                 LOG_TEXT("application", attempt->application_id),
                 LOG_TEXT("event_id", attempt->event_id), LOG_INT("attempt", attempt->number));
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
        log_warn("settlement_refused", "Redis does not record outcomes; kept and repeated",
                 LOG_TEXT("detail", failure->detail));
}

static void on_recorded(void *context, const struct store_failure *failure,
                        const enum settle_outcome *outcomes, size_t count)
{
    struct recorder *recorder = context;
    bool is_recorded = failure->status == STORE_OK;
    assert(!is_recorded || count == recorder->sent_count);
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < recorder->sent_count; i++) {
        struct attempt *attempt = recorder->sent[i];
        if (is_recorded)
            note_recorded(recorder->shared, attempt, outcomes[i], now_ms);
        attempts_move(recorder->attempts, attempt, is_recorded ? ATTEMPT_FREE : ATTEMPT_FINISHED);
    }
    recorder->sent_count = 0;
    if (!is_recorded)
        note_failure(recorder, failure);
    else if (worker_shared_turn(&recorder->shared->is_store_refusing, false))
        log_info("settlement_accepted", "Redis records outcomes again");
}

static size_t gather(struct recorder *recorder)
{
    size_t count = 0;
    struct attempt *attempt;
    TAILQ_FOREACH(attempt, &recorder->attempts->lists[ATTEMPT_FINISHED], links)
    {
        recorder->sent[count] = attempt;
        recorder->batch[count++] = (struct settlement){
            .application_id = attempt->application_id,
            .generation = attempt->generation,
            .action = attempt->action,
            .delay_ms = attempt->delay_ms,
            .verdict = attempt->action == SETTLE_RELEASE ? NULL : &attempt->verdict,
        };
        if (count == RECORD_MAX)
            break;
    }
    return count;
}

void recorder_turn(struct recorder *recorder, struct store *store, int64_t now_ms)
{
    if (recorder->sent_count > 0 || recorder->attempts->counts[ATTEMPT_FINISHED] == 0 ||
        now_ms < recorder->rest_until_ms)
        return;
    size_t count = gather(recorder);
    struct error error;
    if (!store_settle(store, recorder->batch, count, on_recorded, recorder, &error)) {
        recorder->rest_until_ms = now_ms + REST_MS;
        log_debug("settlement_delayed", "kept and repeated", LOG_TEXT("detail", error.message));
        return;
    }
    for (size_t i = 0; i < count; i++)
        attempts_move(recorder->attempts, recorder->sent[i], ATTEMPT_SETTLING);
    recorder->sent_count = count;
}
