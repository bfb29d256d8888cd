/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/forget.h"

#include "service/store/script_call.h"

static bool forget_read(struct script_call *call, const struct redis_reply *reply)
{
    bool *was_known = call->results;
    *was_known = redis_reply_integer(reply) == 1;
    return redis_reply_type(reply) == REDIS_TYPE_INTEGER;
}

static void forget_finish(struct script_call *call, const struct store_failure *failure)
{
    const bool *was_known = call->results;
    call->done.forget(call->context, failure, failure->status == STORE_OK && *was_known);
}

static const struct script_call_kind forget_kind = {SCRIPT_FORGET, forget_read, forget_finish,
                                                    false};

bool store_forget(struct store *store, const char *application_id, store_forget_done done,
                  void *context, struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, store_shard_of(store, application_id),
                                                 &forget_kind, 1, sizeof(bool), error);
    if (call == NULL)
        return false;
    call->done.forget = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}
