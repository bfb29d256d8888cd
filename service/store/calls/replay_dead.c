/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/replay_dead.h"

#include <assert.h>

#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { ARGUMENTS = 11, ANSWERS = 7 };

struct replay_dead_results {
    struct replay_dead_result result;
    struct claim_damage damaged[PLACE_LOOK_MAX];
};

static bool read_damaged(struct replay_dead_results *results, const struct redis_reply *damaged)
{
    size_t count = redis_reply_length(damaged) / 2;
    if (count > PLACE_LOOK_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        results->damaged[i] = (struct claim_damage){.application_id = reply_text_at(damaged, 2 * i),
                                                    .field = reply_text_at(damaged, 2 * i + 1)};
    results->result.damaged = results->damaged;
    results->result.damaged_count = count;
    return true;
}

static bool replay_dead_read(struct script_call *call, const struct redis_reply *reply)
{
    struct replay_dead_results *results = call->results;
    if (!reply_is_array_of(reply, ANSWERS))
        return false;
    results->result = (struct replay_dead_result){
        .looked = (size_t)reply_number_at(reply, 0),
        .matched = (size_t)reply_number_at(reply, 1),
        .latest_death_ms = reply_number_at(reply, 2),
        .next_due_us = reply_number_at(reply, 3),
        .next = place_in_walk(call, reply, 4),
    };
    return read_damaged(results, redis_reply_item(reply, ANSWERS - 1));
}

static void replay_dead_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct replay_dead_result nothing = {.matched = 0};
    const struct replay_dead_results *results = call->results;
    call->done.replay_dead(call->context, failure,
                           failure->status == STORE_OK ? &results->result : &nothing);
}

static const struct script_call_kind replay_dead_kind = {SCRIPT_REPLAY_DEAD, replay_dead_read,
                                                         replay_dead_finish, true};

bool store_replay_dead(struct store *store, const struct replay_dead_query *query,
                       store_replay_dead_done done, void *context, struct error *error)
{
    assert(query->limit > 0 && query->gap_us >= 0);
    struct shard *shard = &store->shards[query->after.shard % store->shard_count];
    AUTO(script_call) *call = script_call_create(store, shard, &replay_dead_kind, ARGUMENTS,
                                                 sizeof(struct replay_dead_results), error);
    if (call == NULL)
        return false;
    call->done.replay_dead = done;
    call->context = context;
    script_call_add_text(call, query->filter.code);
    script_call_add_text(call, query->is_dry ? "0" : "1");
    script_call_add_number(call, (int64_t)query->limit);
    script_call_add_number(call, PLACE_LOOK_MAX);
    script_call_add_number(call, query->gap_us);
    script_call_add_number(call, filter_latest_death_ms(&query->filter, query->latest_death_ms));
    script_call_add_number(call, query->next_due_us);
    place_add(call, &query->after);
    script_call_add_text(call, query->filter.class);
    filter_add_time(call, query->filter.since_ms);
    return script_call_send(STEAL(call), error);
}
