/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/history.h"

#include <assert.h>

#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { PER_BUCKET = 5 };

static bool read_bucket(const struct redis_reply *reply, size_t at, struct store_history *history)
{
    int64_t ago = reply_number_at(reply, at);
    assert(at % PER_BUCKET == 1);
    if (ago < 0 || ago >= HISTORY_BUCKETS)
        return false;
    history->buckets[HISTORY_BUCKETS - 1 - ago] = (struct history_counts){
        .accepted = reply_number_at(reply, at + 1),
        .delivered = reply_number_at(reply, at + 2),
        .retried = reply_number_at(reply, at + 3),
        .dead = reply_number_at(reply, at + 4),
    };
    return true;
}

static bool history_read(struct script_call *call, const struct redis_reply *reply)
{
    struct store_history *history = call->results;
    size_t length = redis_reply_length(reply);
    if (length % PER_BUCKET != 1 || !reply_is_array_of(reply, length))
        return false;
    history->begins_at_ms =
        reply_number_at(reply, 0) - (int64_t)(HISTORY_BUCKETS - 1) * HISTORY_BUCKET_MS;
    for (size_t at = 1; at < length; at += PER_BUCKET) {
        if (!read_bucket(reply, at, history))
            return false;
    }
    return true;
}

static void history_finish(struct script_call *call, const struct store_failure *failure)
{
    assert(call->done.history != NULL);
    call->done.history(call->context, failure, failure->status == STORE_OK ? call->results : NULL);
}

bool store_history_add(struct store *store, const struct history_counts *counts, store_done done,
                       void *context, struct error *error)
{
    static const struct script_call_kind kind = {SCRIPT_HISTORY, script_call_read_nothing,
                                                 script_call_finish_simple, false};
    struct shard *shard = &store->shards[0];
    assert(counts->accepted >= 0 && counts->delivered >= 0);
    AUTO(script_call) *call = script_call_create(store, shard, &kind, 5, 0, error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    script_call_add_text(call, shard->keys[SHARD_HISTORY]);
    script_call_add_number(call, counts->accepted);
    script_call_add_number(call, counts->delivered);
    script_call_add_number(call, counts->retried);
    script_call_add_number(call, counts->dead);
    return script_call_send(STEAL(call), error);
}

bool store_history_read(struct store *store, store_history_done done, void *context,
                        struct error *error)
{
    static const struct script_call_kind kind = {SCRIPT_HISTORY, history_read, history_finish,
                                                 false};
    struct shard *shard = &store->shards[0];
    AUTO(script_call) *call =
        script_call_create(store, shard, &kind, 1, sizeof(struct store_history), error);
    if (call == NULL)
        return false;
    call->done.history = done;
    call->context = context;
    script_call_add_text(call, shard->keys[SHARD_HISTORY]);
    return script_call_send(STEAL(call), error);
}
