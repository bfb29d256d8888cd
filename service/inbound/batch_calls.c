/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A call of a batch: how it leaves, and what its answer means for each of its events.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/inbound/batch_internal.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"
#include "service/outbound/worker_pool.h"

size_t batch_item_bytes(const struct accept_item *item)
{
    return strlen(item->application_id) + strlen(item->event_id) +
           (item->seek_token != NULL ? strlen(item->seek_token) : 0) +
           (item->traceparent != NULL ? strlen(item->traceparent) : 0);
}

/* What is open lies in its room, and each call has no more than it may. */
bool batch_is_sound(const struct batch *batch)
{
    size_t sent = 0;
    for (size_t i = 0; batch->lanes == NULL && i < batch->calls_max; i++)
        sent += batch->calls[i].count;
    for (unsigned i = 0; batch->lanes != NULL && i < batch->shard_count; i++)
        sent += batch->lanes[i].sent_count;
    return batch->first <= batch->count && batch->count <= batch->capacity &&
           sent == batch->sent_count;
}

void batch_report(const struct batch_place *place, const struct batch_result *result)
{
    place->done(place->context, place->index, result);
}

/* Its seek-token is the stored one, which may still be on its way from the spool: an older one
 * would be sent, or a 409 end for good what a 204 began. */
bool batch_has_to_wait_for_spool(const struct batch *batch, const struct batch_place *place)
{
    return place->item.seek_token == NULL && batch->spool != NULL &&
           spool_is_holding_for(spool_batch_spool(batch->spool), place->item.application_id);
}

void batch_report_wait(const struct batch_place *place)
{
    static const struct store_failure failure = {
        .status = STORE_UNAVAILABLE,
        .detail = "The event has no seek-token of its own, and the spool may hold one that Redis "
                  "does not have yet."};
    batch_report(place, &(struct batch_result){.failure = &failure});
}

static bool is_new_work(enum accept_outcome outcome)
{
    return outcome == ACCEPT_ACCEPTED || outcome == ACCEPT_REPLACED;
}

/* What Redis did not take, or perhaps did: the same event twice does no harm. An event without a
 * seek-token of its own cannot be spooled, since only Redis knows whether there is one. */
static bool spool(struct batch *batch, const struct batch_place *place)
{
    const struct accept_item *item = &place->item;
    if (batch->spool == NULL || item->seek_token == NULL)
        return false;
    assert(item->came_us > 0); /* batch_add gave it its stamp */
    const struct drain_record record = {
        .kind = DRAIN_EVENT,
        .application_id = item->application_id,
        .seek_token = item->seek_token,
        .event_id = item->event_id,
        .completed_at_ms =
            item->completed_at_ms >= 0 ? item->completed_at_ms : item->came_us / 1000,
        .traceparent = item->traceparent,
        .stamp_us = item->came_us,
    };
    struct error error;
    return spool_batch_add(batch->spool, &record, place->done, place->context, place->index,
                           &error);
}

/* ---- the straight way ---- */

static void reserve_places(struct call_out *call)
{
    struct worker_pool *workers = call->batch->view->worker_pool;
    assert(call->count > 0 && call->reserved == 0);
    call->sent_at_ms = clock_monotonic_ms();
    call->reserved = workers != NULL ? worker_pool_reserve(workers, call->count, call->shard) : 0;
}

static struct claim claim_of(const struct accept_item *item, const struct accept_result *result)
{
    assert(result->lease > 0 && (item->seek_token != NULL || result->seek_token != NULL));
    return (struct claim){
        .application_id = item->application_id,
        .seek_token = item->seek_token != NULL ? item->seek_token : result->seek_token,
        .event_id = item->event_id,
        .traceparent = item->traceparent != NULL ? item->traceparent : "",
        .generation = result->lease,
        .attempt = 1,
        .completed_at_ms =
            item->completed_at_ms >= 0 ? item->completed_at_ms : result->accepted_at_ms,
    };
}

/* `results` NULL: nothing is known to be leased to us, and the places go back. */
static void hand_over(struct call_out *call, const struct accept_result *results, bool is_committed)
{
    struct batch *batch = call->batch;
    size_t count = 0;
    for (size_t i = 0; i < call->count && results != NULL; i++) {
        if (results[i].lease != 0)
            batch->leased[count++] = claim_of(&call->places[i].item, &results[i]);
    }
    assert(count <= call->reserved);
    const struct leased_signals leased = {batch->leased, count, call->sent_at_ms, is_committed};
    if (call->reserved > 0)
        worker_pool_hand_over(batch->view->worker_pool, call->reserved, &leased);
    call->reserved = 0;
}

/* ---- the answer ---- */

/* Gives each event of the call its result. Whether one of them is due now, and nobody's. */
static bool report_call(struct call_out *call, const struct store_failure *failure,
                        const struct accept_result *results)
{
    bool is_something_due = false;
    for (size_t i = 0; i < call->count; i++) {
        const struct batch_result result = {.failure = failure,
                                            .result = results != NULL ? &results[i] : NULL,
                                            .durability = call->durability};
        is_something_due |=
            results != NULL && results[i].lease == 0 && is_new_work(results[i].outcome);
        if (results != NULL || !spool(call->batch, &call->places[i]))
            batch_report(&call->places[i], &result);
    }
    return is_something_due;
}

static void finish_call(void *context, const struct store_failure *failure,
                        const struct accept_result *results, size_t count)
{
    struct call_out *call = context;
    struct batch *batch = call->batch;
    bool is_done = failure->status == STORE_OK;
    assert(!is_done || (results != NULL && count == call->count));
    hand_over(call, results, is_done);
    bool is_something_due = report_call(call, failure, is_done ? results : NULL);
    assert(call->count > 0 && call->count <= batch->sent_count);
    batch->sent_count -= call->count;
    if (batch->lanes != NULL) {
        batch->lanes[call->shard].calls--;
        batch->lanes[call->shard].sent_count -= call->count;
    }
    call->count = 0;
    if (is_something_due)
        service_view_note_due(batch->view, false);
}

/* Whether there are events on their way that somebody has to claim. */
bool batch_send_call(struct batch *batch, struct call_out *call)
{
    assert(call->count > 0 && call->count <= BATCH_CALL_EVENTS_MAX);
    struct error error;
    reserve_places(call);
    if (store_accept(batch->store, batch->items, call->count, call->reserved, finish_call, call,
                     &error)) {
        inbound_metrics_count_batch(batch->metrics, call->count);
        return call->reserved < call->count;
    }
    struct store_failure failure = {.status = STORE_UNAVAILABLE};
    (void)snprintf(failure.detail, sizeof failure.detail, "%.*s", (int)sizeof failure.detail - 1,
                   error.message);
    finish_call(call, &failure, NULL, 0);
    return false;
}
