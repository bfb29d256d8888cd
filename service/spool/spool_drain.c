/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A segment is deleted when all of it is in Redis, and as durable there as DURABILITY demands. A
 * crash before that brings its records once more; drain.lua knows them again by seek-token and
 * stamp, so nothing is remembered here about how far it came.
 */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/journal_frame.h"
#include "lib/base/log.h"

#include "service/spool/spool_internal.h"

enum { RETRY_MS = 1000, CALL_BYTES_MAX = 1024 * 1024 };

/* --- what is held --- */

static unsigned shard_in(const struct spool *spool, const char *application_id)
{
    unsigned count = spool->options.store.shard_count;
    return shard_of(application_id, count > 0 ? count : 1);
}

bool spool_is_holding_for(const struct spool *spool, const char *application_id)
{
    return atomic_load(&spool->is_holding) &&
           atomic_load(&spool->held[shard_in(spool, application_id)]) > 0;
}

void spool_hold(struct spool *spool, const struct drain_record *record)
{
    atomic_fetch_add(&spool->held[shard_in(spool, record->application_id)], 1);
}

void spool_let_go(struct spool *spool, const struct drain_record *record)
{
    _Atomic uint32_t *held = &spool->held[shard_in(spool, record->application_id)];
    if (atomic_load(held) > 0) /* the spool's thread alone writes it */
        atomic_fetch_sub(held, 1);
}

/* --- one segment --- */

static void begin_segment(struct spool *spool, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    struct error error;
    drain->is_reading = journal_read_oldest(spool->journal, &drain->segment, &error);
    drain->is_damaged = false;
    drain->offset = 0;
    if (drain->is_reading)
        return;
    drain->retry_at_ms = now_ms + RETRY_MS;
    log_error("spool_unreadable", error.message);
}

static void end_segment(struct spool *spool)
{
    struct spool_drain *drain = &spool->drain;
    struct error error;
    int64_t segment = (int64_t)journal_oldest(spool->journal);
    if (!journal_drop_oldest(spool->journal, drain->is_damaged, &error))
        log_error("spool_leftover", error.message, LOG_INT("segment", segment));
    else if (drain->is_damaged)
        log_error(
            "spool_set_aside",
            "A damaged segment is kept as corrupt-….log in SPOOL_DIR; the rest of it is in Redis",
            LOG_INT("segment", segment));
    buffer_clear(&drain->segment);
    drain->is_reading = false;
}

/* Fills the call. An empty record is a probe of the disk. */
static void gather(struct spool *spool)
{
    struct spool_drain *drain = &spool->drain;
    struct journal_piece piece;
    drain->count = 0;
    drain->next_offset = drain->offset;
    while (drain->count < SPOOL_CALL_RECORDS_MAX &&
           (drain->count == 0 || drain->next_offset - drain->offset < CALL_BYTES_MAX)) {
        enum journal_found found = journal_frame_next(drain->segment.bytes, drain->segment.length,
                                                      &drain->next_offset, &piece);
        if (found == JOURNAL_END)
            return;
        bool is_record = found == JOURNAL_RECORD;
        if (is_record &&
            spool_record_read(piece.payload, piece.length, &drain->records[drain->count]))
            drain->count++;
        else if (!is_record || piece.length > 0)
            drain->is_damaged = true;
    }
}

/* --- the call --- */

static void log_superseded(const struct drain_record *record)
{
    log_info("spool_superseded", "A newer seek-token had arrived in the meantime",
             LOG_TEXT("application", record->application_id),
             LOG_TEXT("event_id", record->event_id));
}

/* It stays in its segment, which is kept. */
static void note_damaged(struct spool_drain *drain, const struct drain_record *record)
{
    drain->is_damaged = true;
    log_error("spool_damaged",
              "The application's key in Redis is no hash, because another program has written to "
              "it. The spooled event is kept as corrupt-….log in SPOOL_DIR. Delete the application "
              "and post its event again",
              LOG_TEXT("application", record->application_id),
              LOG_TEXT("event_id", record->event_id));
}

static void take_outcomes(void *context, const struct store_failure *failure,
                          const enum drain_outcome *outcomes, size_t count)
{
    struct spool *spool = context;
    struct spool_drain *drain = &spool->drain;
    drain->is_outstanding = false;
    if (failure->status != STORE_OK) { /* the store has logged why */
        drain->retry_at_ms = clock_monotonic_ms() + RETRY_MS;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        drain->outcomes[outcomes[i]]++;
        metric_add(&spool->metrics[SPOOL_DRAINED_APPLIED + outcomes[i]], 1);
        spool_let_go(spool, &drain->records[i]);
        if (outcomes[i] == DRAIN_SUPERSEDED)
            log_superseded(&drain->records[i]);
        else if (outcomes[i] == DRAIN_DAMAGED)
            note_damaged(drain, &drain->records[i]);
    }
    spool->records -= count < spool->records ? count : spool->records;
    drain->offset = drain->next_offset;
    if (spool->options.due != NULL)
        spool->options.due(spool->options.context, true);
}

static void send(struct spool *spool, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    struct error error;
    spool->oldest_us = drain->records[0].stamp_us;
    drain->is_outstanding = true;
    if (store_drain(spool->store, drain->records, drain->count, take_outcomes, spool, &error))
        return;
    drain->is_outstanding = false;
    drain->retry_at_ms = now_ms + RETRY_MS;
}

static void note_empty(struct spool *spool)
{
    struct spool_drain *drain = &spool->drain;
    log_info("spool_drained", "Everything that was spooled is in Redis",
             LOG_INT("applied", drain->outcomes[DRAIN_APPLIED]),
             LOG_INT("duplicates", drain->outcomes[DRAIN_DUPLICATE]),
             LOG_INT("superseded", drain->outcomes[DRAIN_SUPERSEDED]),
             LOG_INT("damaged", drain->outcomes[DRAIN_DAMAGED]));
    memset(drain->outcomes, 0, sizeof drain->outcomes);
    spool->records = 0;
    spool->has_begun = false;
    spool->oldest_us = 0;
    for (unsigned i = 0; i < SHARD_COUNT_MAX; i++)
        atomic_store(&spool->held[i], 0); /* what was damaged never went */
}

void spool_drain_turn(struct spool *spool, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    struct store_health health;
    store_health(spool->store, &health);
    if (drain->is_outstanding || !health.is_ready || now_ms < drain->retry_at_ms)
        return;
    while (!journal_is_empty(spool->journal)) {
        if (!drain->is_reading)
            begin_segment(spool, now_ms);
        if (!drain->is_reading)
            return;
        gather(spool);
        if (drain->count > 0) {
            send(spool, now_ms);
            return;
        }
        end_segment(spool);
        if (journal_is_empty(spool->journal))
            note_empty(spool);
    }
}
