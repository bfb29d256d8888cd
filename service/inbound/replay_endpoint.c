/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * POST /v1/applications/{id}/replay: sends again now, from the dead or before its time.
 */
#include <assert.h>

#include "lib/base/json.h"
#include "lib/base/log.h"

#include "service/inbound/call.h"
#include "service/inbound/damage.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/service_view.h"

static const struct problem refusals[] = {
    [REPLAY_UNKNOWN] = {.code = PROBLEM_APPLICATION_UNKNOWN},
    [REPLAY_DRAFT] = {.code = PROBLEM_REPLAY_DRAFT,
                      .detail = "It was never completed, so there is nothing to send again.",
                      .remedy = "POST /v1/events when the candidate has completed it."},
    [REPLAY_SENDING] = {.code = PROBLEM_REPLAY_SENDING,
                        .remedy = "Look again when the attempt is over."},
    [REPLAY_DELIVERED] = {.code = PROBLEM_REPLAY_DELIVERED,
                          .detail = "SEEK has this signal already."},
    [REPLAY_DAMAGED] = {.code = PROBLEM_APPLICATION_DAMAGED,
                        .detail = "Its data in Redis cannot be sent: its seek-token is lost, or "
                                  "its key has another type.",
                        .remedy = "Post its event again with its seek-token. If that is refused "
                                  "too, DELETE the application first."},
};

static void answer_scheduled(struct call *call)
{
    log_info("application_replayed", "The signal is sent again",
             LOG_TEXT("application", call->application_id), CALL_LOG_WHO(call));
    service_view_note_due(call->context->view, true);
    struct buffer *body = call_scratch(call);
    if (buffer_append_text(body, "{\"applicationId\":", NULL) &&
        json_append_string(body, call->application_id, call->application_id_length, NULL) &&
        buffer_append_text(body, ",\"state\":\"pending\"}", NULL))
        call_answer_json(call, 202, body);
    else
        call_answer_out_of_memory(call);
}

static void take_outcome(void *context, const struct store_failure *failure,
                         enum replay_outcome outcome, const char *damage)
{
    struct call *call = context;
    damage_tell(call, call->application_id, damage);
    if (failure->status != STORE_OK)
        call_refuse_store(call, failure);
    else if (outcome == REPLAY_SCHEDULED)
        answer_scheduled(call);
    else
        call_refuse(call, &refusals[outcome]);
    call_release(call);
}

void replay_post(struct call *call)
{
    assert(call->application_id_length > 0);
    struct error error;
    call_note_who(call);
    call_start(call,
               store_replay(call->context->store, call->application_id, take_outcome, call, &error),
               &error);
}
