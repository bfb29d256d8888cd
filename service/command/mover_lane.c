/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/command/mover_internal.h"
#include "service/store/shard.h"

enum {
    BATCH_MAX = 200,             /* applications */
    ITEMS_MAX = 2 * BATCH_MAX,   /* of a batch, whoever has made it */
    TEXT_BYTES_MAX = 16 << 20,   /* of a batch */
    BLOCKED_BYTES_MAX = 1 << 20, /* of ids of a batch */
    WAIT_MS = 200,               /* for attempts that are out */
    FOLLOW_MS = 1000,            /* from an empty walk to the next */
};

bool lane_init(struct move_lane *lane, struct mover *mover, unsigned shard, struct error *error)
{
    *lane = (struct move_lane){.mover = mover, .shard = shard};
    buffer_init(&lane->texts, TEXT_BYTES_MAX);
    buffer_init(&lane->blocked, BLOCKED_BYTES_MAX);
    lane->parts = calloc(store_shard_count(mover->to), sizeof *lane->parts);
    if (lane->parts == NULL)
        return error_out_of_memory(error);
    for (unsigned i = 0; i < store_shard_count(mover->to); i++)
        lane->parts[i] = (struct part){.lane = lane, .shard = i};
    return true;
}

void lane_fini(struct move_lane *lane)
{
    buffer_fini(&lane->texts);
    buffer_fini(&lane->blocked);
    free(lane->items);
    free(lane->parts);
}

/* What became of the last batch, which the source is to be told. */
static bool has_word(const struct move_lane *lane)
{
    return lane->done[0] != '\0' || lane->floor[0] != '\0' || lane->blocked.length > 0;
}

bool lane_is_busy(const struct move_lane *lane)
{
    return (lane->state != LANE_READY && lane->state != LANE_EMPTY) || has_word(lane);
}

static void wait_for(struct move_lane *lane, enum lane_state state, int64_t ms)
{
    lane->state = state;
    lane->not_before_ms = lane->mover->now_ms + ms;
}

/* --- giving --- */

static void drop_batch(struct move_lane *lane)
{
    lane->mover->counts.held -= (int64_t)lane->count;
    buffer_clear(&lane->texts);
    free(lane->items);
    lane->items = NULL;
    lane->count = 0;
    lane->batch[0] = '\0';
}

static bool has_owed_parts(const struct move_lane *lane)
{
    bool is_owed = false;
    for (unsigned i = 0; i < store_shard_count(lane->mover->to); i++)
        is_owed |= lane->parts[i].state == PART_OWED;
    return is_owed;
}

static void end_part(struct part *part)
{
    struct move_lane *lane = part->lane;
    assert(lane->state == LANE_GIVING && lane->parts_open > 0);
    if (--lane->parts_open > 0)
        return;
    if (has_owed_parts(lane)) {
        wait_for(lane, LANE_HELD, MOVE_RETRY_MS);
        return;
    }
    if (!has_word(lane))
        (void)snprintf(lane->done, sizeof lane->done, "%s", lane->batch);
    drop_batch(lane);
    wait_for(lane, LANE_READY, 0);
}

/* The highest of all: one below another shard's is refused there again, when others have taken it.
 */
static void raise_floor(struct move_lane *lane, const char *batch)
{
    if (strtoull(batch, NULL, 10) > strtoull(lane->floor, NULL, 10))
        (void)snprintf(lane->floor, sizeof lane->floor, "%s", batch);
}

/* The source is to keep these, and to show the others again. */
static void block(struct move_lane *lane, const char *ids)
{
    mover_note_blocked(lane->mover, ids);
    if (!buffer_append_text(&lane->blocked, ids, NULL) ||
        !buffer_append_text(&lane->blocked, "\n", NULL))
        mover_fail(lane->mover, "out of memory");
}

static void on_taken(void *context, const struct store_failure *failure,
                     const struct move_in_result *result)
{
    struct part *part = context;
    struct mover *mover = part->lane->mover;
    part->state = PART_OWED;
    if (failure->status != STORE_OK) {
        mover_note_failure(mover, &part->lane->trouble, "--to", failure);
    } else if (result->outcome == MOVE_OVERTAKEN) {
        part->state = PART_DONE;
        raise_floor(part->lane, result->what);
    } else if (result->outcome == MOVE_FOREIGN_KEYS) {
        part->state = PART_DONE;
        block(part->lane, result->what);
    } else if (result->outcome != MOVE_FINE) {
        mover_refuse(mover, "--to", result->outcome);
    } else {
        part->state = PART_DONE;
        mover->counts.superseded += result->superseded;
        mover_end_trouble(&part->lane->trouble);
    }
    end_part(part);
}

static void give_part(struct part *part, struct move_item *items)
{
    const struct move_lane *lane = part->lane;
    struct mover *mover = lane->mover;
    struct move_in_batch batch = {
        .shard = part->shard,
        .proposal = mover->target,
        .source = lane->name,
        .batch = lane->batch,
        .since = lane->since,
        .items = items,
    };
    struct error error;
    for (size_t i = 0; i < lane->count; i++) {
        if (shard_of(lane->items[i].id, store_shard_count(mover->to)) == part->shard)
            items[batch.count++] = lane->items[i];
    }
    part->state = PART_OPEN;
    if (!store_move_in(mover->to, &batch, on_taken, part, &error)) {
        mover_note_trouble(mover, &part->lane->trouble, "--to", error.message);
        part->state = PART_OWED;
        end_part(part);
    }
}

static void give(struct move_lane *lane)
{
    struct move_item items[ITEMS_MAX];
    assert(lane->count <= sizeof items / sizeof items[0]);
    lane->state = LANE_GIVING;
    lane->parts_open = 1; /* ours: nothing ends it meanwhile */
    unsigned count = store_shard_count(lane->mover->to);
    for (unsigned i = 0; i < count; i++) {
        if (lane->parts[i].state == PART_OWED) {
            lane->parts_open++;
            give_part(&lane->parts[i], items);
        }
    }
    end_part(&lane->parts[0]);
}

/* --- asking --- */

/* A text with its end, whose place in `texts` counts: that grows and moves. */
static bool keep_bytes(struct move_lane *lane, const char *bytes, size_t length)
{
    return buffer_append(&lane->texts, bytes, length, NULL) &&
           buffer_append(&lane->texts, "", 1, NULL);
}

static bool keep_items(struct move_lane *lane, const struct move_out_result *result)
{
    lane->items = calloc(result->count, sizeof *lane->items);
    bool is_kept = lane->items != NULL;
    for (size_t i = 0; is_kept && i < result->count; i++) {
        const struct move_item *item = &result->items[i];
        is_kept = keep_bytes(lane, item->id, strlen(item->id)) &&
                  keep_bytes(lane, item->at, strlen(item->at)) &&
                  keep_bytes(lane, item->bytes, item->length);
    }
    const char *text = lane->texts.bytes;
    for (size_t i = 0; is_kept && i < result->count; i++) {
        lane->items[i] = result->items[i];
        lane->items[i].id = text;
        text += strlen(text) + 1;
        lane->items[i].at = text;
        text += strlen(text) + 1;
        lane->items[i].bytes = text;
        text += lane->items[i].length + 1;
    }
    return is_kept;
}

static void take_batch(struct move_lane *lane, const struct move_out_result *result)
{
    struct mover *mover = lane->mover;
    if (result->count > ITEMS_MAX || !keep_items(lane, result)) {
        mover_fail(mover, "out of memory");
        return;
    }
    lane->count = result->count;
    mover->counts.held += (int64_t)lane->count;
    (void)snprintf(lane->batch, sizeof lane->batch, "%s", result->batch);
    (void)snprintf(lane->name, sizeof lane->name, "%s", result->name);
    (void)snprintf(lane->since, sizeof lane->since, "%s", result->since);
    unsigned count = store_shard_count(mover->to);
    for (unsigned i = 0; i < count; i++)
        lane->parts[i].state = PART_NONE;
    for (size_t i = 0; i < lane->count; i++)
        lane->parts[shard_of(lane->items[i].id, count)].state = PART_OWED;
    wait_for(lane, LANE_HELD, 0);
}

static void end_walk(struct move_lane *lane)
{
    bool is_empty = lane->met == 0 && lane->out == 0 && lane->later == 0;
    lane->left_at_end = lane->left;
    wait_for(lane, is_empty ? LANE_EMPTY : LANE_READY,
             lane->met > 0 ? 0
             : is_empty    ? FOLLOW_MS
                           : WAIT_MS);
    lane->met = 0;
}

static void note_walk(struct move_lane *lane)
{
    lane->quiet_walks = lane->out == 0 ? lane->quiet_walks + 1 : 0;
    lane->out = lane->later = lane->left = 0;
}

static void take_answer(struct move_lane *lane, const struct move_out_result *result)
{
    bool is_end = result->place[0] == '\0' && !lane->mover->is_stopping;
    lane->done[0] = lane->floor[0] = '\0';
    buffer_clear(&lane->blocked);
    lane->mover->counts.moved += result->deleted;
    lane->met += (int64_t)result->count;
    lane->out += result->out;
    lane->later += result->later;
    lane->left += result->left;
    (void)snprintf(lane->place, sizeof lane->place, "%s", result->place);
    wait_for(lane, LANE_READY, 0);
    if (result->batch[0] != '\0')
        take_batch(lane, result);
    else if (is_end)
        end_walk(lane);
    if (is_end)
        note_walk(lane);
}

static void on_held(void *context, const struct store_failure *failure,
                    const struct move_out_result *result)
{
    struct move_lane *lane = context;
    struct mover *mover = lane->mover;
    assert(lane->state == LANE_ASKING);
    wait_for(lane, LANE_READY, MOVE_RETRY_MS);
    if (failure->status != STORE_OK) {
        mover_note_failure(mover, &lane->trouble, "--from", failure);
    } else if (result->outcome != MOVE_FINE) {
        mover_refuse(mover, "--from", result->outcome);
    } else {
        mover_end_trouble(&lane->trouble);
        take_answer(lane, result);
    }
}

static void ask(struct move_lane *lane)
{
    struct mover *mover = lane->mover;
    const struct move_out_query query = {
        .shard = lane->shard,
        .proposal = mover->from_id,
        .target = mover->target,
        .done = lane->done,
        .floor = lane->floor,
        .blocked = lane->blocked.length > 0 ? lane->blocked.bytes : "",
        .where = mover->where,
        .limit = mover->is_stopping ? 0 : BATCH_MAX,
        .place = lane->place,
    };
    struct error error;
    lane->state = LANE_ASKING;
    if (!store_move_out(mover->from, &query, on_held, lane, &error)) {
        mover_note_trouble(mover, &lane->trouble, "--from", error.message);
        wait_for(lane, LANE_READY, MOVE_RETRY_MS);
    }
}

void lane_turn(struct move_lane *lane)
{
    const struct mover *mover = lane->mover;
    if (mover->has_failed || mover->now_ms < lane->not_before_ms)
        return;
    bool may_ask = !mover->is_stopping || has_word(lane);
    if (lane->state == LANE_EMPTY && mover->is_following && may_ask)
        lane->state = LANE_READY;
    if (lane->state == LANE_READY && may_ask)
        ask(lane);
    else if (lane->state == LANE_HELD)
        give(lane);
}
