/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/drain.h"

#include <assert.h>

#include "lib/base/clock.h"

#include "service/store/fan.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { HEAD = 2, ARGUMENTS = 7 };

static bool drain_read(struct script_call *call, const struct redis_reply *reply)
{
    enum drain_outcome *outcomes = call->results;
    if (redis_reply_type(reply) == REDIS_TYPE_INTEGER) { /* it came too late */
        store_link_note_clock(call->link, redis_reply_integer(reply), clock_monotonic_ms());
        for (size_t i = 0; i < call->count; i++)
            outcomes[i] = DRAIN_UNDONE;
        return true;
    }
    if (!reply_is_array_of(reply, call->count))
        return false;
    for (size_t i = 0; i < call->count; i++) {
        int64_t outcome = reply_number_at(reply, i);
        if (outcome < DRAIN_APPLIED || outcome >= DRAIN_OUTCOME_COUNT)
            return false;
        outcomes[i] = (enum drain_outcome)outcome;
    }
    return true;
}

static void drain_finish(struct script_call *call, const struct store_failure *failure)
{
    assert(call->count > 0);
    bool is_done = failure->status == STORE_OK;
    call->done.drain(call->context, failure, is_done ? call->results : NULL,
                     is_done ? call->count : 0);
}

static const struct script_call_kind drain_kind = {SCRIPT_DRAIN, drain_read, drain_finish, true};

static void add_record(struct script_call *call, const struct drain_record *record)
{
    bool is_event = record->kind == DRAIN_EVENT;
    script_call_add_text(call, is_event ? "event" : "draft");
    script_call_add_text(call, record->application_id);
    script_call_add_text(call, record->seek_token);
    script_call_add_event_id(call, record->event_id);
    if (is_event)
        script_call_add_number(call, record->completed_at_ms);
    else
        script_call_add_text(call, NULL);
    script_call_add_text(call, record->traceparent);
    script_call_add_stamp(call, record->stamp_us, record->life);
}

/* The records at these places; NULL: all `count`, as they come. */
static struct script_call *make(struct store *store, struct shard *shard, const void *items,
                                const size_t *places, size_t count, struct error *error)
{
    const struct drain_record *records = items;
    struct script_call *call =
        script_call_create(store, shard, &drain_kind, HEAD + count * ARGUMENTS,
                           count * sizeof(enum drain_outcome), error);
    if (call == NULL)
        return NULL;
    call->count = count;
    script_call_add_number(call, store->options.ttl_ms);
    script_call_add_number(call, store_link_latest_ms(call->link));
    for (size_t i = 0; i < count; i++)
        add_record(call, &records[places != NULL ? places[i] : i]);
    return call;
}

/* --- of many shards --- */

struct drain_state {
    enum drain_outcome *outcomes; /* behind the rest */
    size_t count;
    size_t firsts[SHARD_COUNT_MAX]; /* of each part, in `places` */
    size_t places[];
};

static void merge_outcomes(struct fan *fan)
{
    static const struct store_failure fine = {.status = STORE_OK};
    struct drain_state *state = fan->state;
    bool is_any_done = false;
    for (size_t i = 0; i < fan->count; i++) {
        const struct script_call *part = fan->parts[i];
        const enum drain_outcome *outcomes = part->results;
        if (part->failure.status != STORE_OK)
            continue;
        is_any_done = true;
        for (size_t j = 0; j < part->count; j++)
            state->outcomes[state->places[state->firsts[i] + j]] = outcomes[j];
    }
    fan->done.drain(fan->context, is_any_done ? &fine : &fan->failure,
                    is_any_done ? state->outcomes : NULL, is_any_done ? state->count : 0);
}

static const char *id_of(const void *items, size_t place)
{
    return ((const struct drain_record *)items)[place].application_id;
}

static struct fan *create_fan(struct store *store, size_t count, struct error *error)
{
    struct fan *fan = fan_create(store, store->shard_count,
                                 sizeof(struct drain_state) +
                                     count * (sizeof(size_t) + sizeof(enum drain_outcome)),
                                 merge_outcomes, error);
    if (fan == NULL)
        return NULL;
    struct drain_state *state = fan->state;
    state->count = count;
    state->outcomes = (enum drain_outcome *)(void *)(state->places + count);
    for (size_t i = 0; i < count; i++)
        state->outcomes[i] = DRAIN_UNDONE;
    return fan;
}

/* NOLINTNEXTLINE(readability-function-size) */
static bool drain_all(struct store *store, const struct drain_record *records, size_t count,
                      store_drain_done done, void *context, struct error *error)
{
    AUTO(fan) *fan = create_fan(store, count, error);
    if (fan == NULL)
        return false;
    fan->done.drain = done;
    fan->context = context;
    struct drain_state *state = fan->state;
    const struct fan_items sorted = {records, count, id_of, make};
    if (!fan_send_items(fan, &sorted, state->places, state->firsts, error))
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_drain(struct store *store, const struct drain_record *records, size_t count,
                 store_drain_done done, void *context, struct error *error)
{
    assert(count > 0);
    if (store->shard_count > 1)
        return drain_all(store, records, count, done, context, error);
    AUTO(script_call) *call = make(store, &store->shards[0], records, NULL, count, error);
    if (call == NULL)
        return false;
    call->done.drain = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}
