/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/mover.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/random.h"

#include "service/command/mover_internal.h"

enum { LANES_BUSY_MAX = 8 };

struct mover *mover_create(struct store *from, struct store *to, const char *where,
                           bool is_following, struct error *error)
{
    struct mover *mover = calloc(1, sizeof *mover);
    if (mover == NULL)
        goto fail;
    mover->from = from;
    mover->to = to;
    mover->where = where;
    mover->is_following = is_following;
    mover->now_ms = clock_monotonic_ms();
    uuid_v4(mover->from_id);
    uuid_v4(mover->to_id);
    mover->lanes = calloc(store_shard_count(from), sizeof *mover->lanes);
    if (mover->lanes == NULL)
        goto fail;
    for (unsigned i = 0; i < store_shard_count(from); i++) {
        mover->lane_count++;
        if (!lane_init(&mover->lanes[i], mover, i, error))
            goto fail;
    }
    return mover;
fail:
    mover_destroy(mover);
    (void)error_out_of_memory(error);
    return NULL;
}

void mover_destroy(struct mover *mover)
{
    if (mover == NULL)
        return;
    for (unsigned i = 0; i < mover->lane_count; i++)
        lane_fini(&mover->lanes[i]);
    free(mover->lanes);
    free(mover);
}

/* --- before the first batch --- */

static void go_on_to(struct mover *mover, enum mover_phase phase)
{
    mover->phase = phase;
    mover->next = 0;
}

/* All are asked first whether it is well, so that what is refused has changed nothing: sending goes
 * on at a target from which something was moved once. The target is told of the source first, then
 * the source of the target: what stops sending must have been seen by whoever goes on. */
static void note_opened(struct mover *mover, const char *id)
{
    if (mover->target[0] == '\0')
        (void)snprintf(mover->target, sizeof mover->target, "%s", id);
    if (++mover->next == store_shard_count(mover->to))
        go_on_to(mover, mover->phase == PHASE_TARGET ? PHASE_SOURCE : PHASE_CLOSE);
}

static void on_opened(void *context, const struct store_failure *failure,
                      const struct move_in_result *result)
{
    struct mover *mover = context;
    mover->is_asking = false;
    mover->not_before_ms = mover->now_ms + MOVE_RETRY_MS;
    if (failure->status != STORE_OK) {
        mover_note_failure(mover, &mover->trouble, "--to", failure);
    } else if (result->outcome != MOVE_FINE) {
        mover_refuse(mover, "--to", result->outcome);
    } else {
        mover->not_before_ms = 0;
        mover_end_trouble(&mover->trouble);
        note_opened(mover, result->what);
    }
}

static void note_closed(struct mover *mover, const struct move_out_result *result)
{
    unsigned beside = store_shards_beside(mover->from, mover->next);
    if (mover->source[0] == '\0') {
        (void)snprintf(mover->source, sizeof mover->source, "%s", result->name);
        (void)snprintf(mover->paused_since, sizeof mover->paused_since, "%s", result->paused_since);
    }
    mover->entries += beside > 0 ? (double)result->entries / beside : 0;
    if (++mover->next < store_shard_count(mover->from))
        return;
    mover->counts.entries = (int64_t)mover->entries;
    go_on_to(mover, mover->phase == PHASE_SOURCE ? PHASE_OPEN : PHASE_MOVE);
}

static void on_closed(void *context, const struct store_failure *failure,
                      const struct move_out_result *result)
{
    struct mover *mover = context;
    mover->is_asking = false;
    mover->not_before_ms = mover->now_ms + MOVE_RETRY_MS;
    if (failure->status != STORE_OK) {
        mover_note_failure(mover, &mover->trouble, "--from", failure);
    } else if (result->outcome != MOVE_FINE) {
        mover_refuse(mover, "--from", result->outcome);
    } else {
        mover->not_before_ms = 0;
        mover_end_trouble(&mover->trouble);
        note_closed(mover, result);
    }
}

static bool ask_target(struct mover *mover, struct error *error)
{
    const struct move_in_batch batch = {
        .shard = mover->next,
        .proposal = mover->target[0] == '\0' ? mover->to_id : mover->target,
        .source = mover->source,
        .paused_since = mover->paused_since,
        .batch = mover->phase == PHASE_TARGET ? MOVE_IN_LOOK : "",
    };
    return store_move_in(mover->to, &batch, on_opened, mover, error);
}

static bool ask_source(struct mover *mover, struct error *error)
{
    const struct move_out_query query = {
        .shard = mover->next,
        .proposal = mover->from_id,
        .target = mover->target,
        .where = mover->where,
        .limit = mover->phase == PHASE_SOURCE ? MOVE_ONLY_LOOK : 0,
    };
    return store_move_out(mover->from, &query, on_closed, mover, error);
}

static void begin(struct mover *mover)
{
    struct error error;
    if (mover->is_asking || mover->is_stopping || mover->now_ms < mover->not_before_ms)
        return;
    bool is_target = mover->phase == PHASE_TARGET || mover->phase == PHASE_OPEN;
    mover->is_asking = true;
    if (is_target ? ask_target(mover, &error) : ask_source(mover, &error))
        return;
    mover->is_asking = false;
    mover->not_before_ms = mover->now_ms + MOVE_RETRY_MS;
    mover_note_trouble(mover, &mover->trouble, is_target ? "--to" : "--from", error.message);
}

/* --- the batches --- */

static size_t count_busy(const struct mover *mover)
{
    size_t busy = 0;
    for (unsigned i = 0; i < mover->lane_count; i++)
        busy += lane_is_busy(&mover->lanes[i]);
    return busy;
}

static void turn_lanes(struct mover *mover)
{
    assert(mover->lane_count > 0);
    size_t busy = count_busy(mover);
    for (unsigned i = 0; i < mover->lane_count; i++) {
        struct move_lane *lane = &mover->lanes[(mover->next + i) % mover->lane_count];
        bool was_busy = lane_is_busy(lane);
        if (was_busy || busy < LANES_BUSY_MAX)
            lane_turn(lane);
        busy += !was_busy && lane_is_busy(lane);
    }
    mover->next = (mover->next + 1) % mover->lane_count;
}

static bool are_all_empty(const struct mover *mover)
{
    bool are_empty = mover->phase == PHASE_MOVE;
    for (unsigned i = 0; i < mover->lane_count; i++)
        are_empty &= mover->lanes[i].state == LANE_EMPTY;
    return are_empty;
}

enum mover_state mover_turn(struct mover *mover, int64_t now_ms)
{
    mover->now_ms = now_ms;
    if (!mover->has_failed && mover->phase != PHASE_MOVE)
        begin(mover);
    if (!mover->has_failed && mover->phase == PHASE_MOVE)
        turn_lanes(mover);
    if (mover->has_failed)
        return MOVER_FAILED;
    if (mover->is_stopping && !mover->is_asking && count_busy(mover) == 0)
        return MOVER_STOPPED;
    return !mover->is_following && are_all_empty(mover) ? MOVER_EMPTY : MOVER_RUNNING;
}

static int64_t until(int64_t moment_ms, int64_t now_ms)
{
    return moment_ms > now_ms ? moment_ms - now_ms : 0;
}

/* One that is not busy waits for those that are. */
int64_t mover_timeout_ms(const struct mover *mover, int64_t now_ms)
{
    enum { LONGEST_MS = 200 }; /* the signal to stop comes in between */
    int64_t wait_ms = LONGEST_MS;
    if (mover->phase != PHASE_MOVE)
        return mover->is_asking ? wait_ms
                                : clock_sooner_ms(wait_ms, until(mover->not_before_ms, now_ms));
    size_t busy = count_busy(mover);
    for (unsigned i = 0; i < mover->lane_count; i++) {
        const struct move_lane *lane = &mover->lanes[i];
        bool is_waiting = lane->state == LANE_READY || lane->state == LANE_HELD;
        if (is_waiting && (busy < LANES_BUSY_MAX || lane_is_busy(lane)))
            wait_ms = clock_sooner_ms(wait_ms, until(lane->not_before_ms, now_ms));
    }
    return wait_ms;
}

void mover_stop(struct mover *mover)
{
    mover->is_stopping = true;
}

void mover_count(const struct mover *mover, struct mover_counts *out)
{
    *out = mover->counts;
    for (unsigned i = 0; i < mover->lane_count; i++)
        out->left += mover->lanes[i].left_at_end;
}

bool mover_is_quiet(const struct mover *mover)
{
    enum { WALKS = 2 }; /* while entries come and go, one may pass over some */
    bool is_quiet = mover->phase == PHASE_MOVE;
    for (unsigned i = 0; i < mover->lane_count; i++)
        is_quiet &= mover->lanes[i].quiet_walks >= WALKS;
    return is_quiet;
}
