/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The parts that the files of the spool share: writing (spool.c), what is found in the journal
 * (spool_journal.c), whose it is (spool_held.c), draining (spool_drain.c) and counting
 * (spool_metrics.c).
 *
 * Owns:    see struct spool.
 * Threads: see the fields.
 * Blocks:  as the disk does.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/journal.h"
#include "lib/base/mutex.h"
#include "lib/base/thread.h"

#include "service/spool/spool.h"
#include "service/spool/spool_rest.h"

enum { SPOOL_LIKE_COUNT = 4096 };

enum spool_metric {
    SPOOL_BYTES,
    SPOOL_LIMIT,
    SPOOL_RECORDS,
    SPOOL_OLDEST_AGE,
    SPOOL_WRITTEN,
    SPOOL_REFUSED,
    SPOOL_DRAINED_APPLIED, /* in the order of enum drain_outcome */
    SPOOL_DRAINED_DUPLICATE,
    SPOOL_DRAINED_SUPERSEDED,
    SPOOL_DRAINED_DAMAGED,
    SPOOL_DAMAGED,
    SPOOL_UNREADABLE,
    SPOOL_METRIC_COUNT,
};

/* A pass through the journal, from the oldest segment on. */
struct spool_drain {
    struct spool_rests rests; /* of segments that are to come again */
    struct shard_set blocked; /* something of them has to come again: nothing newer goes first */
    uint64_t next_segment;    /* of this pass */
    int64_t rest_oldest_us;   /* stamp of the oldest record that has to come again; 0: none */
    uint64_t number;          /* of the segment that is read */
    struct buffer segment;    /* its bytes … */
    bool is_reading;          /* … while there are */
    struct spool_rest was;    /* what of it had to come again before this pass … */
    struct spool_rest rest;   /* … and has to after it */
    size_t offset;            /* behind what is done */
    size_t next_offset;       /* behind what is in the call */
    size_t offsets[SPOOL_CALL_RECORDS_MAX];              /* of the records of the call */
    struct drain_record records[SPOOL_CALL_RECORDS_MAX]; /* of the call; borrow from `segment` */
    size_t count;
    bool is_outstanding;
    int64_t retry_at_ms;
    struct error failure;                 /* why a segment cannot be read for now … */
    uint64_t unread;                      /* … and its number; ERROR_NONE: all can */
    size_t outcomes[DRAIN_OUTCOME_COUNT]; /* since the spool was empty */
};

struct spool {
    /* Set by create, then read-only: any thread. */
    struct spool_options options;
    struct event_loop *loop; /* owned; wake from any thread */
    uint32_t life;           /* drawn by lot; not 0 */

    /* main's. */
    struct thread thread;

    /* The spool's thread while it runs. */
    struct journal *journal; /* owned, as the next */
    struct store *store;
    struct spool_drain drain;
    size_t records;       /* not drained yet */
    bool has_begun;       /* some of them are of this run */
    int64_t oldest_us;    /* stamp of the first of them; 0: none */
    struct error failure; /* why the last write failed; "" when it did not */
    int64_t probe_at_ms;  /* while the disk fails */

    /* Any thread. */
    struct heartbeat heartbeat;
    struct metric metrics[SPOOL_METRIC_COUNT];
    _Atomic int64_t last_stamp_us;
    _Atomic bool is_holding;
    _Atomic bool is_holding_unknown; /* of a segment that could not be read yet */
    /* Records, while it is: of each shard, and of each application among a few others. */
    _Atomic uint32_t held[SHARD_COUNT_MAX];
    _Atomic uint32_t held_like[SPOOL_LIKE_COUNT];

    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct spool_order *first, *last; /* submitted */
        bool is_closed;
        struct spool_status status;
    } shared;
};

MUST_CHECK bool spool_open_journal(struct spool *spool, struct error *error); /* spool_journal.c */
/* spool_journal.c: damage that is found for the first time. The spool's thread, as the next. */
void spool_find_damage(void *context, enum journal_damage damage, uint64_t segment, uint64_t offset,
                       uint64_t bytes);
/* spool_held.c: the record may be in the journal; it is in Redis; the journal is empty. */
void spool_hold(struct spool *spool, const struct drain_record *record);
void spool_let_go(struct spool *spool, const struct drain_record *record);
void spool_let_all_go(struct spool *spool);
unsigned spool_shard_count(const struct spool *spool);
unsigned spool_shard_in(const struct spool *spool, const char *application_id);
/* spool_drain.c: sends the next call when Redis is ready and none is out. True: again at once. */
bool spool_drain_turn(struct spool *spool, int64_t now_ms);
void spool_drain_fini(struct spool *spool);
extern const struct metric_row spool_rows[SPOOL_METRIC_COUNT]; /* spool_metrics.c, as the next */
void spool_publish(struct spool *spool);
