/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The rule of when a call leaves counts for each shard by itself: one that stands still, or is
 * away, keeps nobody else waiting. What is open goes to the calls of its shards, in its order; what
 * cannot leave yet stays, in its order too. All calls of a turn leave in one write.
 *
 * A node that stands still is known to be away after two seconds. Until then what waits for its
 * shards may not take all the room: once half of that is used, a shard keeps its even part of it
 * at most, and what comes behind that is refused, each event by itself.
 */
#include <assert.h>

#include "service/inbound/batch_internal.h"
#include "service/inbound/spool_batch.h"
#include "service/store/store.h"

static bool is_lane_shut(const struct batch *batch, unsigned shard)
{
    const struct lane *lane = &batch->lanes[shard];
    if (lane->calls == BATCH_CALLS_MAX || 2 * lane->waiting < lane->sent_count)
        return true;
    bool is_disk_busy = batch->spool != NULL && spool_batch_is_busy(batch->spool);
    return is_disk_busy && !store_takes_events_for(batch->store, shard, NULL);
}

static void look_at_lanes(struct batch *batch)
{
    for (unsigned i = 0; i < batch->shard_count; i++) {
        batch->lanes[i].waiting = batch->lanes[i].kept = 0;
        batch->lanes[i].filling = NULL;
    }
    for (size_t i = batch->first; i < batch->count; i++)
        batch->lanes[batch->open[i].shard].waiting++;
    for (unsigned i = 0; i < batch->shard_count; i++)
        batch->lanes[i].is_shut = batch->lanes[i].waiting == 0 || is_lane_shut(batch, i);
}

/* There are as many calls as all lanes may have. */
static struct call_out *begin_call(struct batch *batch, unsigned shard)
{
    struct call_out *call = batch->calls;
    while (call->count > 0)
        call++;
    assert(call < batch->calls + batch->calls_max);
    call->shard = shard;
    batch->lanes[shard].calls++;
    batch->lanes[shard].filling = call;
    return call;
}

/* Whether the event left the open batch. */
static bool take_for_lane(struct batch *batch, const struct batch_place *place, size_t item_bytes)
{
    struct lane *lane = &batch->lanes[place->shard];
    if (lane->is_shut)
        return false;
    if (batch_has_to_wait_for_spool(batch, place)) {
        batch_report_wait(place);
        return true;
    }
    struct call_out *call = lane->filling != NULL ? lane->filling : begin_call(batch, place->shard);
    size_t bytes = call->bytes + item_bytes;
    if (call->count > 0 && (call->count == BATCH_CALL_EVENTS_MAX || bytes > BATCH_CALL_BYTES_MAX)) {
        lane->is_shut = true; /* so that its order stays */
        return false;
    }
    call->bytes = call->count > 0 ? bytes : item_bytes;
    call->places[call->count++] = *place;
    lane->sent_count++;
    batch->sent_count++;
    return true;
}

static void report_crowd(const struct batch_place *place)
{
    static const struct store_failure failure = {
        .status = STORE_UNAVAILABLE,
        .detail = "Too many events wait for the node of Redis that has this application."};
    batch_report(place, &(struct batch_result){.failure = &failure});
}

/* What stays keeps its order. */
static void take_for_lanes(struct batch *batch)
{
    bool is_crowded = 2 * (batch->count - batch->first) > batch->open_events_max;
    size_t kept = batch->first;
    for (size_t i = batch->first; i < batch->count; i++) {
        const struct batch_place place = batch->open[i];
        size_t item_bytes = batch_item_bytes(&place.item);
        struct lane *lane = &batch->lanes[place.shard];
        bool is_gone = take_for_lane(batch, &place, item_bytes);
        if (!is_gone && is_crowded && lane->kept >= batch->open_events_max / batch->shard_count) {
            report_crowd(&place);
            is_gone = true;
        }
        if (is_gone) {
            batch->open_bytes -= item_bytes;
            continue;
        }
        batch->open[kept++] = place;
        lane->kept++;
    }
    batch->count = kept;
    if (batch->first == batch->count)
        batch->first = batch->count = 0;
    assert(batch_is_sound(batch));
}

bool batch_send_lanes(struct batch *batch)
{
    bool is_any_due = false;
    if (batch->first == batch->count)
        return false;
    look_at_lanes(batch);
    take_for_lanes(batch);
    for (unsigned i = 0; i < batch->shard_count; i++) {
        struct call_out *call = batch->lanes[i].filling;
        if (call == NULL)
            continue;
        for (size_t item = 0; item < call->count; item++)
            batch->items[item] = call->places[item].item;
        (void)store_takes_events_for(batch->store, i, &call->durability);
        is_any_due |= batch_send_call(batch, call);
    }
    return is_any_due;
}
