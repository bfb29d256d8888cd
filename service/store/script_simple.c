/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Calls that answer nothing but that they are done. */
#include <assert.h>

#include "service/store/script_call.h"

bool script_call_read_nothing(struct script_call *call, const struct redis_reply *reply)
{
    return call != NULL && reply != NULL; /* the state or a count, which nobody asked for */
}

void script_call_finish_simple(struct script_call *call, const struct store_failure *failure)
{
    assert(call->done.simple != NULL);
    call->done.simple(call->context, failure);
}
