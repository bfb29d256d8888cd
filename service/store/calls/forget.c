/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/forget.h"

#include "service/store/script_call.h"

static const struct script_call_kind forget_kind = {SCRIPT_FORGET, script_call_read_nothing,
                                                    script_call_finish_simple, false};

bool store_forget(struct store *store, const char *application_id, store_done done, void *context,
                  struct error *error)
{
    AUTO(script_call) *call =
        script_call_create(store, store_shard_of(store, application_id), &forget_kind, 1, 0, error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}
