/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET /v1/status. Redis being away is part of the answer, not a reason to refuse it.
 */
#include "lib/base/clock.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/status.h"

static void answer_status(struct call *call, const struct store_census *census)
{
    struct buffer *body = call_scratch(call);
    if (status_write(body, call->context->view, call->context->store, census, clock_monotonic_ms(),
                     NULL))
        call_answer_json(call, 200, body);
    else
        call_answer_out_of_memory(call);
}

static void take_census(void *context, const struct store_failure *failure,
                        const struct store_census *census)
{
    struct call *call = context;
    answer_status(call, failure->status == STORE_OK ? census : NULL);
    call_release(call);
}

void status_get(struct call *call)
{
    struct error error;
    if (store_census(call->context->store, CENSUS_LOOK_MAX, take_census, call, &error))
        call_hold(call);
    else
        answer_status(call, NULL);
}
