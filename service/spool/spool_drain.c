/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A segment is deleted when all of it is in Redis, and as durable there as DURABILITY demands. A
 * crash before that brings its records once more; drain.lua knows them again by seek-token and
 * stamp, so nothing is written down about how far it came.
 *
 * Where only some shards of many can be written, their records pass those of the others. The
 * journal is gone through from its oldest segment on; what a shard does not take stays, and with it
 * all that follows for the same shard, so that the order of each application stays:
 *
 *     segment 7   a1  b1  a2           b is away     a1 ✓  b1 –  a2 ✓     stays: b, from b1 on
 *     segment 8   b2  a3                             b2 –  a3 ✓           stays: b, from b2 on
 *     segment 9   a4                                 a4 ✓                 deleted
 *
 * Of a segment that stays is remembered from where on each shard has to come again: whatever came
 * twice would be counted off twice, and DELETE would be let through too early. It is read when one
 * of its shards is there, so that a shard that is away for hours costs no reading.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/journal_frame.h"
#include "lib/base/log.h"

#include "service/spool/spool_internal.h"

enum { RETRY_MS = 1000, CALL_BYTES_MAX = 1024 * 1024 };

/* --- shards --- */

static bool is_any_taken(const struct spool *spool, const struct spool_rest *rest)
{
    for (unsigned i = 0; i < spool_shard_count(spool); i++)
        if (spool_rest_has(rest, i) && store_takes_events_for(spool->store, i, NULL))
            return true;
    return false;
}

/* Something that is held could be written in this pass, or it has to be found out what is held. */
static bool is_worthwhile(const struct spool *spool)
{
    bool is_any_held = false;
    if (!journal_is_known(spool->journal))
        return true;
    for (unsigned i = 0; i < spool_shard_count(spool); i++) {
        bool is_held = atomic_load(&spool->held[i]) > 0;
        is_any_held |= is_held;
        if (is_held && !shard_set_has(&spool->drain.blocked, i) &&
            store_takes_events_for(spool->store, i, NULL))
            return true;
    }
    return !is_any_held; /* nothing but damage, or probes of the disk */
}

/* --- one segment --- */

static void note_oldest(struct spool_drain *drain, int64_t stamp_us)
{
    bool is_known = stamp_us != 0; /* what was never gone through has none */
    if (is_known && (drain->rest_oldest_us == 0 || stamp_us < drain->rest_oldest_us))
        drain->rest_oldest_us = stamp_us;
}

/* The next one of this pass of which something could be written; JOURNAL_NONE, also when nothing of
 * any could be: what was not read comes again as a whole. */
static uint64_t find_segment(struct spool *spool)
{
    struct spool_drain *drain = &spool->drain;
    if (!is_worthwhile(spool))
        return JOURNAL_NONE;
    uint64_t number = journal_next(spool->journal, drain->next_segment);
    while (number != JOURNAL_NONE) {
        const struct spool_rest *rest = spool_rests_find(&drain->rests, number);
        if (rest == NULL || is_any_taken(spool, rest))
            return number;
        for (unsigned i = 0; i < spool_shard_count(spool); i++)
            if (spool_rest_has(rest, i))
                shard_set_add(&drain->blocked, i);
        note_oldest(drain, rest->oldest_us);
        number = journal_next(spool->journal, number + 1);
    }
    return JOURNAL_NONE;
}

/* The journal is empty; what was damaged never went. */
static void forget_all(struct spool *spool)
{
    memset(spool->drain.outcomes, 0, sizeof spool->drain.outcomes);
    spool->records = 0;
    spool->has_begun = false;
    spool->oldest_us = 0;
    spool_let_all_go(spool);
}

/* What had to stay comes again a while later. */
static void end_pass(struct spool *spool, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    if (journal_is_empty(spool->journal))
        forget_all(spool);
    else if (drain->rest_oldest_us != 0)
        spool->oldest_us = drain->rest_oldest_us;
    drain->retry_at_ms = drain->rests.count > 0 ? now_ms + RETRY_MS : now_ms;
    drain->next_segment = 0;
    drain->rest_oldest_us = 0;
    drain->blocked = (struct shard_set){{0}};
}

/* Why it failed; NULL: it did not, or for good. What is read in front of the one that cannot be
 * read tells nothing. */
static void note_reading(struct spool *spool, uint64_t number, const struct error *failure)
{
    struct spool_drain *drain = &spool->drain;
    bool was_failing = drain->failure.kind != ERROR_NONE;
    if (failure == NULL && (!was_failing || number < drain->unread))
        return;
    if (failure == NULL)
        log_info("spool_reads_again", "The spool can be read again");
    if (failure != NULL && (!was_failing || strcmp(failure->message, drain->failure.message) != 0))
        log_error(
            "spool_unreadable",
            "A part of the spool cannot be read for now. It is tried again, and the events in "
            "it and after it wait",
            LOG_TEXT("detail", failure->message), LOG_TEXT("directory", spool->options.directory));
    drain->failure = failure != NULL ? *failure : (struct error){.kind = ERROR_NONE};
    drain->unread = number;
}

/* What comes after it waits with it, so that the order stays: nobody knows whose records it has. */
static void leave_unread(struct spool *spool, uint64_t number, bool is_there, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    if (!is_there)
        spool_rests_forget(&drain->rests, number);
    if (is_there || journal_is_empty(spool->journal))
        end_pass(spool, now_ms);
    if (is_there)
        drain->retry_at_ms = now_ms + RETRY_MS;
}

static bool begin_segment(struct spool *spool, uint64_t number, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    struct error error;
    drain->is_reading = spool_rests_reserve(&drain->rests, &error) &&
                        journal_read(spool->journal, number, &drain->segment, &error);
    bool is_there = journal_next(spool->journal, number) == number;
    note_reading(spool, number, is_there && !drain->is_reading ? &error : NULL);
    if (!drain->is_reading) {
        leave_unread(spool, number, is_there, now_ms);
        return false;
    }
    const struct spool_rest *rest = spool_rests_find(&drain->rests, number);
    drain->number = number;
    drain->was = rest != NULL ? *rest : (struct spool_rest){.segment = number};
    drain->rest = drain->was;
    spool_rest_clear(&drain->rest);
    drain->offset = spool_rest_first(&drain->was);
    return true;
}

static void drop_segment(struct spool *spool)
{
    struct spool_drain *drain = &spool->drain;
    struct error error;
    int64_t segment = (int64_t)drain->number;
    spool_rests_forget(&drain->rests, drain->number);
    if (!journal_drop(spool->journal, drain->number, drain->rest.is_damaged, &error))
        log_error("spool_leftover", error.message, LOG_INT("segment", segment),
                  LOG_TEXT("directory", spool->options.directory));
    else if (drain->rest.is_damaged)
        log_error(
            "spool_set_aside",
            "A damaged segment is kept as corrupt-….log in SPOOL_DIR; the rest of it is in Redis",
            LOG_INT("segment", segment), LOG_TEXT("directory", spool->options.directory));
}

static void leave(struct spool *spool, const struct drain_record *record, size_t offset)
{
    struct spool_drain *drain = &spool->drain;
    unsigned shard = spool_shard_in(spool, record->application_id);
    spool_rest_add(&drain->rest, shard, offset, record->stamp_us);
    note_oldest(drain, record->stamp_us);
    shard_set_add(&drain->blocked, shard);
}

/* Whether it goes with the call: else it is done, or has to come again. */
static bool is_wanted(struct spool *spool, const struct drain_record *record, size_t offset)
{
    struct spool_drain *drain = &spool->drain;
    unsigned shard = spool_shard_in(spool, record->application_id);
    if (offset < drain->was.firsts[shard])
        return false;
    if (!shard_set_has(&drain->blocked, shard) && store_takes_events_for(spool->store, shard, NULL))
        return true;
    leave(spool, record, offset);
    return false;
}

/* What was damaged before it was begun with is told already. */
static void find_damage(struct spool *spool, size_t offset, size_t bytes)
{
    struct spool_drain *drain = &spool->drain;
    if (!drain->was.is_damaged)
        spool_find_damage(spool, JOURNAL_IS_DAMAGED, drain->number, offset, bytes);
    drain->rest.is_damaged = true;
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
        size_t offset = drain->next_offset;
        struct drain_record *record = &drain->records[drain->count];
        enum journal_found found = journal_frame_next(drain->segment.bytes, drain->segment.length,
                                                      &drain->next_offset, &piece);
        if (found == JOURNAL_END)
            return;
        bool is_record = found == JOURNAL_RECORD;
        if (is_record && spool_record_read(piece.payload, piece.length, record)) {
            record->life = spool->life;
            drain->offsets[drain->count] = offset;
            drain->count += is_wanted(spool, record, offset);
        } else if (!is_record || piece.length > 0) {
            find_damage(spool, offset, piece.length);
        }
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
static void note_damaged(struct spool *spool, const struct drain_record *record)
{
    spool->drain.rest.is_damaged = true;
    log_error("spool_damaged",
              "The application's key in Redis is not a hash, because another program has written "
              "to it. The spooled event is kept as corrupt-….log in SPOOL_DIR. Delete the "
              "application and post its event again",
              LOG_TEXT("application", record->application_id),
              LOG_TEXT("event_id", record->event_id),
              LOG_TEXT("directory", spool->options.directory));
}

static void take_outcome(struct spool *spool, size_t place, enum drain_outcome outcome)
{
    struct spool_drain *drain = &spool->drain;
    const struct drain_record *record = &drain->records[place];
    if (outcome == DRAIN_UNDONE) {
        leave(spool, record, drain->offsets[place]);
        return;
    }
    drain->outcomes[outcome]++;
    metric_add(&spool->metrics[SPOOL_DRAINED_APPLIED + outcome], 1);
    spool_let_go(spool, record);
    spool->records -= spool->records > 0;
    if (outcome == DRAIN_SUPERSEDED)
        log_superseded(record);
    else if (outcome == DRAIN_DAMAGED)
        note_damaged(spool, record);
}

static void take_outcomes(void *context, const struct store_failure *failure,
                          const enum drain_outcome *outcomes, size_t count)
{
    struct spool *spool = context;
    struct spool_drain *drain = &spool->drain;
    bool is_done = failure->status == STORE_OK; /* else the store has logged why */
    assert(!is_done || count == drain->count);
    drain->is_outstanding = false;
    for (size_t i = 0; i < drain->count; i++)
        take_outcome(spool, i, is_done ? outcomes[i] : DRAIN_UNDONE);
    drain->offset = drain->next_offset;
    if (is_done && spool->options.due != NULL)
        spool->options.due(spool->options.context, true);
}

static void send(struct spool *spool)
{
    static const struct store_failure unsent = {.status = STORE_UNAVAILABLE};
    struct spool_drain *drain = &spool->drain;
    struct error error;
    if (drain->rest_oldest_us == 0)
        spool->oldest_us = drain->records[0].stamp_us;
    drain->is_outstanding = true;
    if (!store_drain(spool->store, drain->records, drain->count, take_outcomes, spool, &error))
        take_outcomes(spool, &unsent, NULL, 0);
}

static void log_drained(const struct spool_drain *drain)
{
    log_info("spool_drained", "Everything that was spooled is in Redis",
             LOG_INT("applied", drain->outcomes[DRAIN_APPLIED]),
             LOG_INT("duplicates", drain->outcomes[DRAIN_DUPLICATE]),
             LOG_INT("superseded", drain->outcomes[DRAIN_SUPERSEDED]),
             LOG_INT("damaged", drain->outcomes[DRAIN_DAMAGED]));
}

static void end_segment(struct spool *spool, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    if (spool_rest_is_some(&drain->rest))
        spool_rests_remember(&drain->rests, &drain->rest);
    else
        drop_segment(spool);
    buffer_clear(&drain->segment);
    drain->is_reading = false;
    drain->next_segment = drain->number + 1;
    if (!journal_is_empty(spool->journal))
        return;
    log_drained(drain);
    end_pass(spool, now_ms);
}

/* One segment at most, so that orders and the heartbeat have their turn in between. */
bool spool_drain_turn(struct spool *spool, int64_t now_ms)
{
    struct spool_drain *drain = &spool->drain;
    if (drain->is_outstanding || now_ms < drain->retry_at_ms || journal_is_empty(spool->journal))
        return false;
    if (!drain->is_reading && drain->next_segment == 0 && !is_worthwhile(spool))
        return false;
    uint64_t number = drain->is_reading ? drain->number : find_segment(spool);
    if (number == JOURNAL_NONE) {
        end_pass(spool, now_ms);
        return false;
    }
    if (!drain->is_reading && !begin_segment(spool, number, now_ms))
        return false;
    gather(spool);
    if (drain->count > 0)
        send(spool);
    else
        end_segment(spool, now_ms);
    return !drain->is_outstanding && !journal_is_empty(spool->journal);
}

void spool_drain_fini(struct spool *spool)
{
    buffer_fini(&spool->drain.segment);
    free(spool->drain.rests.items);
}
