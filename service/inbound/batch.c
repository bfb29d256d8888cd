/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"
#include "service/outbound/worker_pool.h"

struct place {
    struct accept_item item; /* borrowed texts */
    batch_done done;
    void *context;
    size_t index;
};

/* One script call, on its way while it holds events. */
struct call_out {
    struct batch *batch;
    struct place places[BATCH_CALL_EVENTS_MAX];
    size_t count;
    struct durability durability; /* that they get */
};

struct batch {
    struct store *store;             /* borrowed: goes before us */
    const struct service_view *view; /* borrowed: outlives us */
    size_t open_events_max;
    struct inbound_metrics *metrics; /* borrowed: outlives us */
    struct spool_batch *spool;       /* borrowed: outlives us; NULL: none */
    struct place *open;              /* owned: gathered, [first, count) not sent yet */
    size_t first, count, capacity;
    size_t open_bytes;
    struct call_out calls[BATCH_CALLS_MAX];
    size_t sent_count;                               /* events on their way, in all calls */
    struct accept_item items[BATCH_CALL_EVENTS_MAX]; /* scratch of send */
};

struct batch *batch_create(struct store *store, const struct service_view *view,
                           struct inbound_metrics *metrics, size_t open_events_max,
                           struct error *error)
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
    for (size_t i = 0; i < BATCH_CALLS_MAX; i++)
        batch->calls[i].batch = batch;
    return batch;
}

void batch_use_spool(struct batch *batch, struct spool_batch *spool)
{
    batch->spool = spool;
}

static void tell(const struct place *place, const struct batch_result *result)
{
    place->done(place->context, place->index, result);
}

void batch_destroy(struct batch *batch)
{
    if (batch == NULL)
        return;
    const struct store_failure failure = {.status = STORE_UNAVAILABLE,
                                          .detail = "The service stopped before it was stored."};
    const struct batch_result result = {.failure = &failure};
    for (size_t i = batch->first; i < batch->count; i++)
        tell(&batch->open[i], &result);
    free(batch->open);
    free(batch);
}

bool batch_reserve(struct batch *batch, size_t events, size_t bytes, struct error *error)
{
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
    size_t capacity = batch->capacity > 0 ? batch->capacity : 64;
    while (capacity < waiting + events)
        capacity *= 2;
    if (capacity == batch->capacity)
        return true;
    struct place *open = reallocarray(batch->open, capacity, sizeof *open);
    if (open == NULL)
        return error_out_of_memory(error);
    batch->open = open;
    batch->capacity = capacity;
    return true;
}

size_t batch_item_bytes(const struct accept_item *item)
{
    return strlen(item->application_id) + strlen(item->event_id) +
           (item->seek_token != NULL ? strlen(item->seek_token) : 0) +
           (item->traceparent != NULL ? strlen(item->traceparent) : 0);
}

void batch_add(struct batch *batch, const struct accept_item *item, batch_done done, void *context,
               size_t index)
{
    assert(batch->count < batch->capacity); /* batch_reserve came first */
    struct place *place = &batch->open[batch->count++];
    *place = (struct place){.item = *item, .done = done, .context = context, .index = index};
    if (batch->spool != NULL)
        place->item.came_us = spool_stamp(spool_batch_spool(batch->spool));
    batch->open_bytes += batch_item_bytes(item);
}

/* Its seek-token is the stored one, which may still be on its way from the spool: an older one
 * would be sent, or a 409 end for good what a 204 began. */
static bool has_to_wait_for_spool(const struct batch *batch, const struct place *place)
{
    return place->item.seek_token == NULL && batch->spool != NULL &&
           spool_is_holding(spool_batch_spool(batch->spool));
}

static void tell_to_wait(const struct place *place)
{
    static const struct store_failure failure = {
        .status = STORE_UNAVAILABLE,
        .detail = "The event has no seek-token of its own, and the spool may hold one that Redis "
                  "does not have yet."};
    tell(place, &(struct batch_result){.failure = &failure});
}

/* Moves what fits into one call from the open batch to `call`. */
static void take_for_call(struct batch *batch, struct call_out *call)
{
    size_t bytes = 0;
    while (batch->first < batch->count && call->count < BATCH_CALL_EVENTS_MAX) {
        const struct place place = batch->open[batch->first];
        size_t item_bytes = batch_item_bytes(&place.item);
        if (call->count > 0 && bytes + item_bytes > BATCH_CALL_BYTES_MAX)
            break;
        batch->first++;
        batch->open_bytes -= item_bytes;
        if (has_to_wait_for_spool(batch, &place)) {
            tell_to_wait(&place);
            continue;
        }
        batch->items[call->count] = place.item;
        call->places[call->count++] = place;
        bytes += item_bytes;
    }
    batch->sent_count += call->count;
    if (batch->first == batch->count)
        batch->first = batch->count = 0;
}

static bool is_new_work(enum accept_outcome outcome)
{
    return outcome == ACCEPT_ACCEPTED || outcome == ACCEPT_REPLACED;
}

/* What Redis did not take, or perhaps did: the same event twice does no harm. An event without a
 * seek-token of its own cannot be spooled, since only Redis knows whether there is one. */
static bool spool(struct batch *batch, const struct place *place)
{
    const struct accept_item *item = &place->item;
    if (batch->spool == NULL || item->seek_token == NULL)
        return false;
    const struct spool_record record = {
        .kind = SPOOL_EVENT,
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

static void finish_call(void *context, const struct store_failure *failure,
                        const struct accept_result *results, size_t count)
{
    struct call_out *call = context;
    struct batch *batch = call->batch;
    bool is_done = failure->status == STORE_OK;
    assert(!is_done || count == call->count);
    bool is_something_due = false;
    for (size_t i = 0; i < call->count; i++) {
        const struct batch_result result = {.failure = failure,
                                            .result = is_done ? &results[i] : NULL,
                                            .durability = call->durability};
        is_something_due |= is_done && is_new_work(results[i].outcome);
        if (is_done || !spool(batch, &call->places[i]))
            tell(&call->places[i], &result);
    }
    batch->sent_count -= call->count;
    call->count = 0;
    if (is_something_due && batch->view->worker_pool != NULL)
        worker_pool_note_due(batch->view->worker_pool);
}

static bool send_call(struct batch *batch, struct call_out *call)
{
    struct error error;
    if (store_accept(batch->store, batch->items, call->count, finish_call, call, &error)) {
        inbound_metrics_count_batch(batch->metrics, call->count);
        return true;
    }
    struct store_failure failure = {.status = STORE_UNAVAILABLE};
    (void)snprintf(failure.detail, sizeof failure.detail, "%.*s", (int)sizeof failure.detail - 1,
                   error.message);
    finish_call(call, &failure, NULL, 0);
    return false;
}

/* What a call costs Redis is as much as several events cost, so a small one does not follow. */
static bool has_to_gather(const struct batch *batch, size_t waiting)
{
    return 2 * waiting < batch->sent_count ||
           (batch->sent_count > 0 && store_is_confirming(batch->store));
}

/* NULL: what was gathered stays for now. */
static struct call_out *next_call(struct batch *batch)
{
    size_t waiting = batch->count - batch->first;
    if (waiting == 0 || has_to_gather(batch, waiting))
        return NULL;
    for (size_t i = 0; i < BATCH_CALLS_MAX; i++) {
        if (batch->calls[i].count == 0)
            return &batch->calls[i];
    }
    return NULL;
}

bool batch_turn(struct batch *batch)
{
    struct call_out *call;
    bool is_any_sent = false;
    while ((call = next_call(batch)) != NULL) {
        struct store_health health;
        store_health(batch->store, &health);
        bool is_able = health.is_ready && !health.is_refusing;
        if (!is_able && batch->spool != NULL && spool_batch_is_busy(batch->spool))
            break; /* the disk sets the pace; its end wakes the loop */
        call->durability = health.durability;
        take_for_call(batch, call);
        if (call->count > 0) /* else none of them could be sent */
            is_any_sent |= send_call(batch, call);
    }
    return is_any_sent;
}
