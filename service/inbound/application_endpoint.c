/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET and DELETE /v1/applications/{id}.
 */
#include "service/inbound/application_document.h"
#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/spool_batch.h"

static void answer_application(struct call *call, const struct application *application)
{
    if (application == NULL) {
        call_refuse(call, &(struct problem){.code = PROBLEM_APPLICATION_UNKNOWN,
                                            .detail = "Nothing was posted for it, or it expired, "
                                                      "or it was deleted."});
        return;
    }
    struct buffer *body = call_scratch(call);
    if (application_write(body, application, NULL))
        call_answer_json(call, 200, body);
    else
        call_answer_out_of_memory(call);
}

static void take_application(void *context, const struct store_failure *failure,
                             const struct application *application)
{
    struct call *call = context;
    if (failure->status == STORE_OK)
        answer_application(call, application);
    else
        call_refuse_store(call, failure);
    call_release(call);
}

void application_get(struct call *call)
{
    struct error error;
    call_hold(call);
    if (store_get(call->front->store, call->application_id, take_application, call, &error))
        return;
    call_refuse_untaken(call, &error);
    call_release(call);
}

static void take_forgotten(void *context, const struct store_failure *failure)
{
    struct call *call = context;
    if (failure->status == STORE_OK)
        call_answer_empty(call, 204);
    else
        call_refuse_store(call, failure);
    call_release(call);
}

/* What the spool holds of the application would bring it back. */
static bool is_in_spool(const struct call *call)
{
    const struct spool_batch *spool = call->front->spool;
    return spool != NULL && spool_is_holding(spool_batch_spool(spool));
}

/* 204 too when there was nothing: afterwards it is forgotten either way. */
void application_delete(struct call *call)
{
    struct error error;
    if (is_in_spool(call)) {
        call_refuse_store(call, &(struct store_failure){STORE_UNAVAILABLE,
                                                        "The spool holds events that Redis does "
                                                        "not have yet, perhaps of this one."});
        return;
    }
    call_hold(call);
    if (store_forget(call->front->store, call->application_id, take_forgotten, call, &error))
        return;
    call_refuse_untaken(call, &error);
    call_release(call);
}
