/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The way of an event through a batch
 *
 *     batch_reserve ──► batch_add ──► open: gathered ──► a call on its way ──► done, once
 *         │                           [first, count)     calls[0 … 3]           ▲   ▲
 *         └─(no room: refused)             │                   │                │   │
 *                                          │                   └─(not taken, or nobody knows)
 *                                          │                              │     │   │
 *                                          │                              ▼     │   │
 *                                          │                            spool ──┘   │
 *                                          └─(its seek-token may lie in the spool)──┘
 *
 * Room is asked for before an event is added, so that adding cannot fail. An event is in one place
 * at a time, and leaves the last one by its `done`: from batch_turn, from the answer of its call,
 * or from batch_destroy.
 *
 * When a call leaves. Redis serves one call after the other, and confirms those together that are
 * on their way where DURABILITY wants that (group_commit.c):
 *
 *     on their way    waiting            then
 *     0               1 or more          at once: a lone event waits for nothing
 *     n events        less than n / 2    it gathers on: a small call costs as much as several
 *     n events        n / 2 or more      one more call, four at most: Redis finds it when it is
 * done
 *
 * With many shards that is the rule for each of them: a call has events of one shard, and those of
 * a shard that stands still wait where they are while the others go on.
 *
 * Two events of one application keep their order: the calls leave in the order of gathering on one
 * connection, and the script takes the events of a call in theirs.
 *
 * The straight way. Before a call leaves, the workers are asked how many of its events they could
 * begin at once, and the call has as many leased, if nothing is due in its shard. With its answer
 * these go to a worker, before anybody is told: what is acknowledged is on its way already.
 *
 * What the answer means for each event of the call:
 *
 *     taken                  its own result, at the level that was read when the call was made up
 *     refused, lost, or      to the spool, if there is one and the event has its own seek-token;
 *     not confirmed          else its failure. It may lie in Redis all the same: posting it again
 *                            changes nothing, and the spool's record is then a duplicate
 */
#include "service/inbound/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"

#include "service/inbound/batch_internal.h"
#include "service/inbound/spool_batch.h"
#include "service/store/shard.h"

/* Memory of a call that holds no events was never touched. */
static bool create_calls(struct batch *batch, struct error *error)
{
    batch->shard_count = store_shard_count(batch->store);
    batch->calls_max = (size_t)batch->shard_count * BATCH_CALLS_MAX;
    batch->calls = calloc(batch->calls_max, sizeof *batch->calls);
    bool has_lanes = batch->shard_count > 1;
    if (has_lanes)
        batch->lanes = calloc(batch->shard_count, sizeof *batch->lanes);
    if (batch->calls == NULL || (has_lanes && batch->lanes == NULL)) {
        batch->calls_max = 0; /* for is_sound */
        batch->shard_count = 0;
        return error_out_of_memory(error);
    }
    for (size_t i = 0; i < batch->calls_max; i++)
        batch->calls[i].batch = batch;
    return true;
}

struct batch *batch_create(struct store *store, const struct service_view *view,
                           struct metric *metrics, size_t open_events_max, struct error *error)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    batch->store = store;
    batch->view = view;
    batch->metrics = metrics;
    batch->open_events_max = open_events_max;
    if (create_calls(batch, error))
        return batch;
    batch_destroy(batch);
    return NULL;
}

void batch_use_spool(struct batch *batch, struct spool_batch *spool)
{
    assert(batch->count == 0); /* what is open already has no stamp */
    batch->spool = spool;
}

void batch_destroy(struct batch *batch)
{
    if (batch == NULL)
        return;
    assert(batch_is_sound(batch) && batch->sent_count == 0); /* the store has ended its calls */
    const struct store_failure failure = {
        .status = STORE_UNAVAILABLE, .detail = "The service stopped before the event was stored."};
    const struct batch_result result = {.failure = &failure};
    for (size_t i = batch->first; i < batch->count; i++)
        batch_report(&batch->open[i], &result);
    free(batch->open);
    free(batch->calls);
    free(batch->lanes);
    free(batch);
}

bool batch_reserve(struct batch *batch, size_t events, size_t bytes, struct error *error)
{
    assert(batch_is_sound(batch));
    size_t waiting = batch->count - batch->first;
    if (waiting > 0 && (waiting + events > batch->open_events_max ||
                        batch->open_bytes + bytes > BATCH_OPEN_BYTES_MAX))
        return error_set(error, ERROR_FULL, "%zu events wait for Redis already", waiting);
    if (batch->count + events <= batch->capacity)
        return true;
    if (batch->first > 0) {
        memmove(batch->open, batch->open + batch->first, waiting * sizeof *batch->open);
        batch->first = 0;
        batch->count = waiting;
    }
    struct batch_place *open =
        array_reserve(batch->open, &batch->capacity, waiting + events, sizeof *open);
    if (open == NULL)
        return error_out_of_memory(error);
    batch->open = open;
    assert(batch->count + events <= batch->capacity);
    return true;
}

void batch_add(struct batch *batch, const struct accept_item *item, batch_done done, void *context,
               size_t index)
{
    assert(batch->count < batch->capacity); /* batch_reserve came first */
    struct batch_place *place = &batch->open[batch->count++];
    *place = (struct batch_place){.item = *item, .done = done, .context = context, .index = index};
    if (batch->lanes != NULL)
        place->shard = shard_of(item->application_id, batch->shard_count);
    if (batch->spool != NULL) {
        place->item.came_us = spool_stamp(spool_batch_spool(batch->spool));
        place->item.life = spool_life(spool_batch_spool(batch->spool));
    }
    batch->open_bytes += batch_item_bytes(item);
}

/* From the open batch. */
static void take_first(struct batch *batch, size_t item_bytes)
{
    assert(item_bytes <= batch->open_bytes);
    batch->first++;
    batch->open_bytes -= item_bytes;
}

/* Moves what fits into one call from the open batch to `call`. */
static void take_for_call(struct batch *batch, struct call_out *call)
{
    assert(call->count == 0);
    size_t bytes = 0;
    while (batch->first < batch->count && call->count < BATCH_CALL_EVENTS_MAX) {
        const struct batch_place place = batch->open[batch->first];
        size_t item_bytes = batch_item_bytes(&place.item);
        if (call->count > 0 && bytes + item_bytes > BATCH_CALL_BYTES_MAX)
            break;
        take_first(batch, item_bytes);
        if (batch_has_to_wait_for_spool(batch, &place)) {
            batch_report_wait(&place);
            continue;
        }
        batch->items[call->count] = place.item;
        call->places[call->count++] = place;
        bytes += item_bytes;
    }
    batch->sent_count += call->count;
    if (batch->first == batch->count)
        batch->first = batch->count = 0;
    assert(batch_is_sound(batch));
}

/* What a call costs Redis is as much as several events cost, so a small one does not follow. */
static bool has_to_gather(const struct batch *batch, size_t waiting)
{
    return 2 * waiting < batch->sent_count;
}

/* NULL: what was gathered stays for now. */
static struct call_out *next_call(struct batch *batch)
{
    assert(batch->first <= batch->count);
    size_t waiting = batch->count - batch->first;
    if (waiting == 0 || has_to_gather(batch, waiting))
        return NULL;
    for (size_t i = 0; i < batch->calls_max; i++) {
        if (batch->calls[i].count == 0)
            return &batch->calls[i];
    }
    return NULL;
}

bool batch_turn(struct batch *batch)
{
    if (batch->lanes != NULL)
        return batch_send_lanes(batch);
    struct call_out *call;
    bool is_any_due = false;
    while ((call = next_call(batch)) != NULL) {
        struct store_health health;
        store_health(batch->store, &health);
        bool is_able = health.is_ready && !health.is_refusing;
        if (!is_able && batch->spool != NULL && spool_batch_is_busy(batch->spool))
            break; /* the disk sets the pace; its end wakes the loop */
        call->durability = health.durability;
        take_for_call(batch, call);
        if (call->count > 0) /* else none of them could be sent */
            is_any_due |= batch_send_call(batch, call);
    }
    assert(batch_is_sound(batch));
    return is_any_due;
}
