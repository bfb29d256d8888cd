/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the spool finds in its journal: records of an earlier life, and damage, also what comes up
 * only while it drains.
 */
#include "lib/base/journal.h"
#include "lib/base/log.h"

#include "service/spool/spool_internal.h"

enum { SEGMENT_BYTES = 1024 * 1024 };

/* New stamps are later than those in the journal, even if the clock was set back in between. */
static void note_stamp(struct spool *spool, int64_t stamp_us)
{
    int64_t last_us = atomic_load(&spool->last_stamp_us);
    while (stamp_us > last_us &&
           !atomic_compare_exchange_weak(&spool->last_stamp_us, &last_us, stamp_us))
        continue;
}

/* The segment is kept for a person, and its damage is not told again when it is drained. Without
 * memory it is. */
static void mark_damaged(struct spool *spool, uint64_t segment)
{
    struct spool_rests *rests = &spool->drain.rests;
    struct spool_rest *rest = spool_rests_find(rests, segment);
    if (rest != NULL)
        rest->is_damaged = true;
    else if (spool_rests_reserve(rests, NULL))
        spool_rests_remember(rests, &(struct spool_rest){.segment = segment, .is_damaged = true});
}

static void find_record(void *context, uint64_t segment, const char *payload, size_t length)
{
    struct spool *spool = context;
    struct drain_record record;
    if (spool_record_read(payload, length, &record)) {
        spool_hold(spool, &record);
        if (spool->records++ == 0)
            spool->oldest_us = record.stamp_us;
        note_stamp(spool, record.stamp_us);
    } else if (length > 0) {
        metric_add(&spool->metrics[SPOOL_DAMAGED], 1);
        mark_damaged(spool, segment);
        log_error("spool_damaged", "A record in SPOOL_DIR is not one that this version can read",
                  LOG_INT("segment", segment), LOG_TEXT("directory", spool->options.directory));
    }
}

void spool_find_damage(void *context, enum journal_damage damage, uint64_t segment, uint64_t offset,
                       uint64_t bytes)
{
    struct spool *spool = context;
    static const struct {
        enum log_level level;
        const char *event, *message;
    } kinds[JOURNAL_DAMAGE_COUNT] = {
        [JOURNAL_WAS_TORN] =
            {LOG_WARN, "spool_torn",
             "The last write was cut short and never acknowledged. The incomplete part is removed"},
        [JOURNAL_IS_DAMAGED] = {LOG_ERROR, "spool_damaged",
                                "Bytes in SPOOL_DIR differ from those that were written. The "
                                "events around them are delivered"},
        [JOURNAL_IS_NO_FILE] =
            {LOG_ERROR, "spool_damaged",
             "A segment is not a regular file of this user. It is kept as corrupt-….log "
             "in SPOOL_DIR"},
        [JOURNAL_IS_GONE] = {LOG_ERROR, "spool_damaged",
                             "A segment is gone: another program has removed it from SPOOL_DIR"},
    };
    if (damage != JOURNAL_WAS_TORN)
        metric_add(&spool->metrics[SPOOL_DAMAGED], 1);
    if (damage == JOURNAL_IS_DAMAGED)
        mark_damaged(spool, segment);
    log_at(kinds[damage].level, kinds[damage].event, kinds[damage].message,
           LOG_INT("segment", segment), LOG_INT("offset", offset), LOG_INT("bytes", bytes),
           LOG_TEXT("directory", spool->options.directory));
}

bool spool_open_journal(struct spool *spool, struct error *error)
{
    spool->journal = journal_open(&(struct journal_options){.directory = spool->options.directory,
                                                            .bytes_max = spool->options.bytes_max,
                                                            .segment_bytes = SEGMENT_BYTES,
                                                            .record = find_record,
                                                            .damage = spool_find_damage,
                                                            .context = spool},
                                  error);
    if (spool->journal == NULL)
        return false;
    if (spool->records > 0)
        log_warn("spool_holds", "Events of an earlier run wait in SPOOL_DIR for Redis",
                 LOG_INT("records", spool->records),
                 LOG_INT("bytes", journal_bytes(spool->journal)),
                 LOG_TEXT("directory", spool->options.directory));
    return true;
}
