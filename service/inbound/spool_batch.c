/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/spool_batch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/array.h"

struct spool_place {
    batch_done done;
    void *context;
    size_t index;
};

/* One order and those who wait for it. */
struct gathering {
    struct spool_order order;
    struct spool_place *places; /* owned; order.count of them */
    size_t capacity;
};

struct spool_batch {
    struct spool *spool; /* borrowed: stopped before we go */
    struct gathering gatherings[2];
    struct gathering *open; /* is filled; the other one is out, or empty */
    struct gathering *out;
    bool is_out;
};

struct spool_batch *spool_batch_create(struct spool *spool, struct event_loop *loop,
                                       struct error *error)
{
    struct spool_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    batch->spool = spool;
    batch->open = &batch->gatherings[0];
    batch->out = &batch->gatherings[1];
    for (size_t i = 0; i < 2; i++) {
        batch->gatherings[i].order.loop = loop;
        buffer_init(&batch->gatherings[i].order.records, SPOOL_ORDER_BYTES_MAX);
    }
    return batch;
}

struct spool *spool_batch_spool(const struct spool_batch *batch)
{
    return batch->spool;
}

/* Nobody knows whether it is a duplicate: Redis will tell at the drain. */
static struct batch_result result_of(const struct spool_order *order, struct store_failure *failure)
{
    static const struct accept_result accepted = {.outcome = ACCEPT_ACCEPTED,
                                                  .state = DELIVERY_PENDING};
    *failure = (struct store_failure){.status = STORE_OK};
    if (order->is_written)
        return (struct batch_result){failure, &accepted, {.level = DURABILITY_SPOOL}};
    failure->status = STORE_UNAVAILABLE;
    (void)snprintf(failure->detail, sizeof failure->detail,
                   "Redis does not take the event, and the spool cannot: %.100s",
                   order->error.message);
    return (struct batch_result){.failure = failure};
}

/* One of the two is filled, the other one is out or empty. */
static bool is_sound(const struct spool_batch *batch)
{
    return batch->open != batch->out && (batch->is_out || batch->out->order.count == 0) &&
           batch->open->order.count <= batch->open->capacity;
}

static void report(struct gathering *gathering)
{
    assert(gathering->order.count <= gathering->capacity);
    struct store_failure failure;
    const struct batch_result result = result_of(&gathering->order, &failure);
    for (size_t i = 0; i < gathering->order.count; i++) {
        const struct spool_place *place = &gathering->places[i];
        place->done(place->context, place->index, &result);
    }
    gathering->order.count = 0;
    buffer_clear(&gathering->order.records);
}

static void abandon(struct gathering *gathering)
{
    gathering->order.is_written = false;
    (void)error_set(&gathering->order.error, ERROR_IO, "the service is stopping");
    report(gathering);
}

void spool_batch_destroy(struct spool_batch *batch)
{
    if (batch == NULL)
        return;
    assert(is_sound(batch));
    if (batch->is_out) {
        assert(spool_is_done(batch->spool, &batch->out->order));
        report(batch->out);
    }
    abandon(batch->open);
    for (size_t i = 0; i < 2; i++) {
        buffer_fini(&batch->gatherings[i].order.records);
        free(batch->gatherings[i].places);
    }
    free(batch);
}

static bool reserve_place(struct gathering *gathering, struct error *error)
{
    struct spool_place *places = array_reserve(gathering->places, &gathering->capacity,
                                               gathering->order.count + 1, sizeof *places);
    if (places == NULL)
        return error_out_of_memory(error);
    gathering->places = places;
    return true;
}

/* Callback, context, index and error are four of them. */
/* NOLINTNEXTLINE(readability-function-size) */
bool spool_batch_add(struct spool_batch *batch, const struct drain_record *record, batch_done done,
                     void *context, size_t index, struct error *error)
{
    struct gathering *gathering = batch->open;
    if (!reserve_place(gathering, error) ||
        !spool_record_write(&gathering->order.records, record, error))
        return false;
    gathering->places[gathering->order.count++] = (struct spool_place){done, context, index};
    assert(is_sound(batch));
    return true;
}

bool spool_batch_is_busy(const struct spool_batch *batch)
{
    return batch->is_out && batch->open->order.count > 0;
}

void spool_batch_turn(struct spool_batch *batch)
{
    assert(is_sound(batch));
    if (batch->is_out && spool_is_done(batch->spool, &batch->out->order)) {
        batch->is_out = false;
        report(batch->out);
    }
    if (batch->is_out || batch->open->order.count == 0)
        return;
    if (!spool_submit(batch->spool, &batch->open->order)) {
        abandon(batch->open);
        return;
    }
    struct gathering *submitted = batch->open;
    batch->open = batch->out;
    batch->out = submitted;
    batch->is_out = true;
    assert(is_sound(batch));
}
