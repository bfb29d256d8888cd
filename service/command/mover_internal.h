/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What mover.c has in common with mover_lane.c and mover_report.c: a lane, the way of one shard of
 * the source.
 *
 *     READY ──► ASKING ──► HELD ──► GIVING ──► READY …       asks for a batch, gives it to the
 * target, ▲         │         ▲          │                     and has it let go with the next
 * question └─────────┤         └──────────┘ not all of it ▼ nothing is left EMPTY
 *
 * Owns: the batch. Threads: the mover's. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/uuid.h"

#include "service/command/mover.h"

enum {
    MOVE_NAME_BYTES = 64,
    MOVE_BATCH_BYTES = 64,
    MOVE_SINCE_BYTES = 24,
    MOVE_PLACE_BYTES = 40,
    MOVE_PROBLEM_BYTES = 512,
    MOVE_BLOCKED_BYTES = 1024,
    MOVE_RETRY_MS = 250,
};

enum lane_state { LANE_READY, LANE_ASKING, LANE_HELD, LANE_GIVING, LANE_EMPTY };

enum part_state { PART_NONE, PART_OWED, PART_OPEN, PART_DONE };

/* What fails again and again, of a lane or of what comes before them. That others go on does not
 * end it: with one shard away a move has no end. */
struct trouble {
    int64_t since_ms;              /* monotonic */
    char what[MOVE_PROBLEM_BYTES]; /* last; "": nothing */
};

struct move_lane;

struct part { /* of a batch: what one shard of the target gets */
    struct move_lane *lane;
    unsigned shard;
    enum part_state state;
};

struct move_lane {
    struct mover *mover; /* borrowed */
    unsigned shard;
    enum lane_state state;
    int64_t not_before_ms; /* monotonic */
    struct trouble trouble;
    char name[MOVE_NAME_BYTES], since[MOVE_SINCE_BYTES];
    char place[MOVE_PLACE_BYTES];
    char batch[MOVE_BATCH_BYTES]; /* "": none is held */
    char done[MOVE_BATCH_BYTES];  /* the target has it, and the source is to be told; "": none */
    char floor[MOVE_BATCH_BYTES]; /* of the target, not below `batch`; "": none is known */
    struct buffer blocked; /* ids of the batch, a line each, that the target has no place for */
    /* Since the walk began: what it met. An empty one ends the lane. */
    int64_t met, out, later, left;
    unsigned quiet_walks; /* without an attempt that is out: it does not come back */
    int64_t left_at_end;  /* of the last whole walk */

    struct buffer texts;     /* of the items */
    struct move_item *items; /* owned; of the batch */
    size_t count;
    struct part *parts; /* owned; as many as the target has shards */
    size_t parts_open;
};

enum mover_phase {
    PHASE_TARGET, /* each of the target's shards says whether it can be one, the first who it is */
    PHASE_SOURCE, /* each of the source's shards says the same */
    PHASE_OPEN,   /* each of the target's shards is told */
    PHASE_CLOSE,  /* each of the source's shards stops sending */
    PHASE_MOVE,
};

struct mover {
    struct store *from, *to; /* borrowed */
    const char *where;       /* borrowed */
    bool is_following, is_stopping, has_failed;
    enum mover_phase phase;
    unsigned next;  /* shard of the phase */
    bool is_asking; /* in phases before the last */
    int64_t not_before_ms, now_ms;
    struct trouble trouble;                      /* in phases before the last */
    char from_id[UUID_BYTES], to_id[UUID_BYTES]; /* for a Redis that has none yet */
    char target[MOVE_NAME_BYTES];
    char source[MOVE_NAME_BYTES], paused_since[MOVE_SINCE_BYTES]; /* of its first shard */
    char problem[MOVE_PROBLEM_BYTES];                             /* why it has failed */
    char blocked[MOVE_BLOCKED_BYTES]; /* what the target has no place for, as it is told */
    unsigned blocked_count;
    struct mover_counts counts;
    double entries;
    unsigned lane_count;
    struct move_lane *lanes; /* owned; one for each shard of the source */
};

/* Nothing can be done about it here. */
void mover_fail(struct mover *mover, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `where`: "--from" or "--to". */
void mover_note_trouble(const struct mover *mover, struct trouble *trouble, const char *where,
                        const char *detail);
/* A right that is missing does not come by waiting: then it has failed. */
void mover_note_failure(struct mover *mover, struct trouble *trouble, const char *where,
                        const struct store_failure *failure);
void mover_end_trouble(struct trouble *trouble);
/* `ids`: a line each. */
void mover_note_blocked(struct mover *mover, const char *ids);
/* What a script says against it. */
void mover_refuse(struct mover *mover, const char *where, enum move_outcome outcome);

MUST_CHECK bool lane_init(struct move_lane *lane, struct mover *mover, unsigned shard,
                          struct error *error);
void lane_fini(struct move_lane *lane);
void lane_turn(struct move_lane *lane);
bool lane_is_busy(const struct move_lane *lane);
