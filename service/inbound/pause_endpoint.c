/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * POST /v1/pause and POST /v1/resume: sending stops, and goes on, for every process on this Redis.
 * The state is Redis's; the workers meet it when they claim.
 */
#include "lib/base/log.h"

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/service_view.h"

static void take_paused(void *context, const struct store_failure *failure)
{
    struct call *call = context;
    if (failure->status == STORE_OK) {
        log_info("pause_asked", "Sending is paused until somebody resumes it", CALL_LOG_WHO(call));
        call_answer_empty(call, 204);
    } else {
        call_refuse_store(call, failure);
    }
    call_release(call);
}

static void take_resumed(void *context, const struct store_failure *failure)
{
    struct call *call = context;
    if (failure->status == STORE_OK) {
        log_info("resume_asked", "Sending goes on", CALL_LOG_WHO(call));
        service_view_note_due(call->context->view, true);
        call_answer_empty(call, 204);
    } else {
        call_refuse_store(call, failure);
    }
    call_release(call);
}

static void set_paused(struct call *call, bool is_paused)
{
    struct error error;
    if (!call_is_json_or_bare(call))
        return;
    call_note_who(call);
    call_start(call,
               store_set_paused(call->context->store, is_paused,
                                is_paused ? take_paused : take_resumed, call, &error),
               &error);
}

void pause_post(struct call *call)
{
    set_paused(call, true);
}

void resume_post(struct call *call)
{
    set_paused(call, false);
}
