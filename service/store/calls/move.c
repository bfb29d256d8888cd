/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/move.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { OUT_ARGUMENTS = 12, OUT_ANSWERS = 11, IN_ARGUMENTS = 8, IN_ANSWERS = 4, ITEM = 4 };

static const char *const kinds[MOVE_KIND_COUNT] = {
    [MOVE_OWED] = "owed", [MOVE_DEAD] = "dead", [MOVE_KEPT] = "kept"};

/* --- the source --- */

struct out_results {
    struct move_out_result result;
    struct move_item *items; /* owned */
};

static bool read_kind(const char *text, enum move_kind *out)
{
    for (unsigned kind = 0; kind < MOVE_KIND_COUNT; kind++) {
        if (strcmp(text, kinds[kind]) == 0) {
            *out = (enum move_kind)kind;
            return true;
        }
    }
    return false;
}

static bool read_items(struct move_item *items, const struct redis_reply *reply, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t first = OUT_ANSWERS + i * ITEM;
        items[i].id = reply_text_at(reply, first);
        items[i].at = reply_text_at(reply, first + 2);
        items[i].bytes = redis_reply_text(redis_reply_item(reply, first + 3), &items[i].length);
        if (!read_kind(reply_text_at(reply, first + 1), &items[i].kind))
            return false;
    }
    return true;
}

static bool read_outcome(const struct redis_reply *reply, enum move_outcome *out)
{
    if (redis_reply_length(reply) < 2)
        return false;
    int64_t number = reply_number_at(reply, 0);
    if (number < MOVE_FINE || number > MOVE_OVERTAKEN)
        return false;
    *out = (enum move_outcome)number;
    return true;
}

static bool out_read(struct script_call *call, const struct redis_reply *reply)
{
    struct out_results *results = call->results;
    struct move_out_result *result = &results->result;
    size_t length = redis_reply_length(reply);
    if (!read_outcome(reply, &result->outcome))
        return false;
    if (result->outcome != MOVE_FINE)
        return length == 2;
    if (length < OUT_ANSWERS || (length - OUT_ANSWERS) % ITEM != 0)
        return false;
    *result = (struct move_out_result){
        .name = reply_text_at(reply, 1),
        .paused_since = reply_text_at(reply, 2),
        .since = reply_text_at(reply, 3),
        .entries = reply_number_at(reply, 4),
        .deleted = reply_number_at(reply, 5),
        .batch = reply_text_at(reply, 6),
        .place = reply_text_at(reply, 7),
        .out = reply_number_at(reply, 8),
        .later = reply_number_at(reply, 9),
        .left = reply_number_at(reply, 10),
        .count = (length - OUT_ANSWERS) / ITEM,
    };
    results->items = calloc(result->count + 1, sizeof *results->items);
    result->items = results->items;
    return results->items != NULL && read_items(results->items, reply, result->count);
}

static void out_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct move_out_result nothing = {.outcome = MOVE_FINE};
    struct out_results *results = call->results;
    call->done.move_out(call->context, failure,
                        failure->status == STORE_OK ? &results->result : &nothing);
    free(results->items);
}

static const struct script_call_kind out_kind = {SCRIPT_MOVE_OUT, out_read, out_finish, false};

/* Callback, context and error are three of the parameters of each call. */
bool store_move_out(struct store *store, const struct move_out_query *query,
                    store_move_out_done done, void *context, struct error *error)
{
    assert(query->shard < store->shard_count && query->limit >= MOVE_GIVE_UP);
    struct shard *shard = &store->shards[query->shard];
    AUTO(script_call) *call = script_call_create(store, shard, &out_kind, OUT_ARGUMENTS,
                                                 sizeof(struct out_results), error);
    if (call == NULL)
        return false;
    call->done.move_out = done;
    call->context = context;
    script_call_add_text(call, shard->keys[SHARD_MOVE]);
    script_call_add_text(call, shard->keys[SHARD_NOTIFY]);
    script_call_add_text(call, shard->keys[SHARD_LAYOUT]);
    script_call_add_text(call, SHARD_LAYOUT_NUMBER);
    script_call_add_text(call, query->proposal);
    script_call_add_text(call, query->target);
    script_call_add_text(call, query->done);
    script_call_add_number(call, query->limit);
    script_call_add_text(call, query->place);
    script_call_add_text(call, query->floor);
    script_call_add_text(call, query->blocked);
    script_call_add_text(call, query->where);
    return script_call_send(STEAL(call), error);
}

/* --- the target --- */

static bool in_read(struct script_call *call, const struct redis_reply *reply)
{
    struct move_in_result *result = call->results;
    if (!read_outcome(reply, &result->outcome))
        return false;
    result->what = reply_text_at(reply, 1);
    if (result->outcome != MOVE_FINE)
        return redis_reply_length(reply) == 2;
    if (redis_reply_length(reply) != IN_ANSWERS)
        return false;
    result->written = reply_number_at(reply, 2);
    result->superseded = reply_number_at(reply, 3);
    return true;
}

static void in_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct move_in_result nothing = {.what = ""};
    call->done.move_in(call->context, failure,
                       failure->status == STORE_OK ? call->results : &nothing);
}

static const struct script_call_kind in_kind = {SCRIPT_MOVE_IN, in_read, in_finish, true};

bool store_move_in(struct store *store, const struct move_in_batch *batch, store_move_in_done done,
                   void *context, struct error *error)
{
    assert(batch->shard < store->shard_count);
    struct shard *shard = &store->shards[batch->shard];
    AUTO(script_call) *call =
        script_call_create(store, shard, &in_kind, IN_ARGUMENTS + batch->count * ITEM,
                           sizeof(struct move_in_result), error);
    if (call == NULL)
        return false;
    call->done.move_in = done;
    call->context = context;
    script_call_add_text(call, shard->keys[SHARD_MOVE]);
    script_call_add_text(call, shard->keys[SHARD_NOTIFY]);
    script_call_add_text(call, batch->proposal);
    script_call_add_text(call, batch->source);
    script_call_add_text(call, batch->paused_since);
    script_call_add_text(call, batch->batch);
    script_call_add_number(call, store->options.ttl_ms);
    script_call_add_text(call, batch->since);
    for (size_t i = 0; i < batch->count; i++) {
        script_call_add_text(call, batch->items[i].id);
        script_call_add_text(call, kinds[batch->items[i].kind]);
        script_call_add_text(call, batch->items[i].at);
        script_call_add_bytes(call, batch->items[i].bytes, batch->items[i].length);
    }
    return script_call_send(STEAL(call), error);
}

unsigned store_shards_beside(const struct store *store, unsigned shard)
{
    unsigned count = 0;
    for (unsigned i = 0; i < store->shard_count && store->shards[shard].link != NULL; i++)
        count += store->shards[i].link == store->shards[shard].link;
    return count;
}
