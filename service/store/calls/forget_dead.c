/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/forget_dead.h"

#include <assert.h>

#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { ARGUMENTS = 11, ANSWERS = 5 };

static bool forget_dead_read(struct script_call *call, const struct redis_reply *reply)
{
    struct forget_dead_result *result = call->results;
    if (!reply_is_array_of(reply, ANSWERS))
        return false;
    *result = (struct forget_dead_result){
        .looked = (size_t)reply_number_at(reply, 0),
        .matched = (size_t)reply_number_at(reply, 1),
        .latest_death_ms = reply_number_at(reply, 2),
        .next = place_in_walk(call, reply, 3),
    };
    return true;
}

static void forget_dead_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct forget_dead_result nothing = {.matched = 0};
    call->done.forget_dead(call->context, failure,
                           failure->status == STORE_OK ? call->results : &nothing);
}

static const struct script_call_kind forget_dead_kind = {SCRIPT_FORGET_DEAD, forget_dead_read,
                                                         forget_dead_finish, false};

bool store_forget_dead(struct store *store, const struct forget_dead_query *query,
                       store_forget_dead_done done, void *context, struct error *error)
{
    assert(query->limit > 0);
    struct shard *shard = &store->shards[query->after.shard % store->shard_count];
    AUTO(script_call) *call = script_call_create(store, shard, &forget_dead_kind, ARGUMENTS,
                                                 sizeof(struct forget_dead_result), error);
    if (call == NULL)
        return false;
    call->done.forget_dead = done;
    call->context = context;
    script_call_add_text(call, query->filter.code);
    script_call_add_text(call, query->is_dry ? "0" : "1");
    script_call_add_number(call, (int64_t)query->limit);
    script_call_add_number(call, PLACE_LOOK_MAX);
    script_call_add_number(call, filter_latest_death_ms(&query->filter, query->latest_death_ms));
    place_add(call, &query->after);
    script_call_add_text(call, query->filter.class);
    filter_add_time(call, query->filter.since_ms);
    filter_add_beginnings(call, &query->filter);
    return script_call_send(STEAL(call), error);
}
