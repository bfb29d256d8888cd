/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/read.h"

#include <assert.h>

#include "service/store/reply.h"
#include "service/store/script_call.h"

struct read_results {
    bool is_found;
    struct listed entry;
};

static bool read_read(struct script_call *call, const struct redis_reply *reply)
{
    struct read_results *results = call->results;
    if (reply_is_array_of(reply, 0))
        return true;
    assert(call->arguments_count == call->arguments_max); /* the last one is the id */
    results->is_found = true;
    return application_read(reply, call->arguments[call->arguments_count - 1], &results->entry);
}

static void read_finish(struct script_call *call, const struct store_failure *failure)
{
    const struct read_results *results = call->results;
    bool is_found = failure->status == STORE_OK && results->is_found;
    call->done.get(call->context, failure, is_found ? &results->entry.application : NULL);
}

static const struct script_call_kind read_kind = {SCRIPT_READ, read_read, read_finish, false};

bool store_get(struct store *store, const char *application_id, store_get_done done, void *context,
               struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, store_shard_of(store, application_id),
                                                 &read_kind, 1, sizeof(struct read_results), error);
    if (call == NULL)
        return false;
    call->done.get = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}
