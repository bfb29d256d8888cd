/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * GET and DELETE /v1/applications/{id}.
 */
#include <assert.h>

#include "lib/base/log.h"

#include "service/inbound/application_document.h"
#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"

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
    assert(call->application_id_length > 0);
    struct error error;
    call_start(
        call, store_get(call->context->store, call->application_id, take_application, call, &error),
        &error);
}

/* A repetition finds nothing, perhaps because its first answer was lost: that is told too. */
static void log_forgotten(const struct call *call, bool was_known)
{
    assert(call->application_id_length > 0);
    if (was_known)
        log_info("application_forgotten", "The application and its signal are forgotten",
                 LOG_TEXT("application", call->application_id), CALL_LOG_WHO(call));
    else
        log_info("forget_found_nothing",
                 "An application was to be forgotten of which nothing is known",
                 LOG_TEXT("application", call->application_id), CALL_LOG_WHO(call));
}

static void take_forgotten(void *context, const struct store_failure *failure, bool was_known)
{
    struct call *call = context;
    if (failure->status == STORE_OK) {
        log_forgotten(call, was_known);
        call_answer_empty(call, 204);
    } else {
        call_refuse_store(call, failure);
    }
    call_release(call);
}

/* 204 too when there was nothing: afterwards it is forgotten either way. */
void application_delete(struct call *call)
{
    assert(call->application_id_length > 0);
    struct error error;
    if (call_is_awaiting_spool(call, call->application_id))
        return;
    call_note_who(call);
    call_start(
        call,
        store_forget(call->context->store, call->application_id, take_forgotten, call, &error),
        &error);
}
