/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/submission_answer.h"

#include <assert.h>
#include <string.h>

#include "service/inbound/application_document.h"
#include "service/inbound/call.h"
#include "service/inbound/submission.h"

#define TOKEN_REMEDY                                                                               \
    "If the candidate did not come from SEEK, there is no signal to send. Otherwise send token "   \
    "or "                                                                                          \
    "applicationUri, or PUT /v1/applications/{id}/token beforehand."

static const struct problem token_missing = {
    .code = PROBLEM_TOKEN_MISSING,
    .detail = "Neither this event nor an earlier call gave the application's seek-token.",
    .field = "token",
    .remedy = TOKEN_REMEDY,
};

/* Perhaps the seek-token is among them. */
static const struct problem token_missing_of_others = {
    .code = PROBLEM_TOKEN_MISSING,
    .detail = "Neither this event nor an earlier call gave the application's seek-token. The event "
              "has members with other names: the seek-token is read from token or applicationUri.",
    .field = "token",
    .remedy = TOKEN_REMEDY,
};

static const struct problem damaged = {
    .code = PROBLEM_APPLICATION_DAMAGED,
    .detail =
        "The application's key in Redis is not a hash, because another program has written to it.",
    .remedy = "DELETE the application, then send its event again.",
};

static const struct problem *refusals[] = {
    [ACCEPT_NO_TOKEN] = &token_missing, [ACCEPT_DAMAGED] = &damaged};

static const struct problem *refusal_of(const struct submission *submission, size_t index)
{
    enum accept_outcome outcome = submission->items[index].outcome;
    if (outcome == ACCEPT_NO_TOKEN && submission->events->entries[index].event->has_other_members)
        return &token_missing_of_others;
    return refusals[outcome];
}

static unsigned status_of(const struct submission *submission, const struct submission_item *item)
{
    if (submission->wait_ms > 0)
        return delivery_state_is_final(item->state) ? 200 : 202;
    return item->outcome == ACCEPT_DUPLICATE ? 200 : 202;
}

/* Everything behind the opening brace and in front of the closing one. */
static bool write_stored(struct buffer *out, const struct submission_item *item,
                         const struct event *event, struct error *error)
{
    assert(submission_item_is_stored(item));
    return buffer_append_text(out, "\"applicationId\":", error) &&
           json_append_string(out, event->application_id, strlen(event->application_id), error) &&
           buffer_append_texts(out, error, ",\"eventId\":\"", item->event_id, "\",\"result\":\"",
                               submission_outcome_kind(item->outcome)->name, "\",\"state\":\"",
                               delivery_state_name(item->state), "\",\"durability\":\"",
                               durability_name(item->durability), "\"", NULL);
}

/* ---- one event ---- */

static void answer_stored(struct submission *submission, const struct application *final)
{
    assert(!submission->events->is_batch && submission->items[0].fate == ITEM_STORED);
    struct call *call = submission->call;
    const struct submission_item *item = &submission->items[0];
    struct buffer *body = call_scratch(call);
    bool is_dead = final != NULL && final->state == DELIVERY_DEAD;
    if (buffer_append_text(body, "{", NULL) &&
        write_stored(body, item, submission->events->entries[0].event, NULL) &&
        (!is_dead || application_write_last_error(body, final, NULL)) &&
        buffer_append_text(body, "}", NULL))
        call_answer_json(call, status_of(submission, item), body);
    else
        call_answer_out_of_memory(call);
}

static void refuse_failed(struct submission *submission, const struct submission_item *item)
{
    assert(item->fate == ITEM_FAILED);
    call_refuse(submission->call, &(struct problem){.code = problem_code_of_store(item->failure),
                                                    .detail = submission->failure_detail});
}

static void answer_one(struct submission *submission, const struct application *final)
{
    assert(submission->events->count == 1);
    const struct submission_item *item = &submission->items[0];
    if (item->fate == ITEM_FAILED)
        refuse_failed(submission, item);
    else if (!submission_item_is_stored(item))
        call_refuse(submission->call, refusal_of(submission, 0));
    else
        answer_stored(submission, final);
}

/* ---- a batch ---- */

static bool write_item(struct buffer *out, const struct submission *submission, size_t index,
                       struct error *error)
{
    const struct submission_item *item = &submission->items[index];
    const struct event_entry *entry = &submission->events->entries[index];
    if (submission_item_is_stored(item))
        return buffer_append_text(out, "{\"status\":", error) &&
               buffer_append_integer(out, status_of(submission, item), error) &&
               buffer_append_text(out, ",", error) &&
               write_stored(out, item, entry->event, error) && buffer_append_text(out, "}", error);
    struct problem problem;
    if (item->fate == ITEM_STORED)
        problem = *refusal_of(submission, index);
    else if (item->fate == ITEM_REJECTED)
        problem = problem_from_rejection(&entry->rejection);
    else
        problem = (struct problem){.code = problem_code_of_store(item->failure),
                                   .detail = submission->failure_detail};
    return problem_write(out, &problem, error);
}

static bool write_results(struct buffer *out, const struct submission *submission,
                          struct error *error)
{
    if (!buffer_append_text(out, "\"results\":[", error))
        return false;
    for (size_t i = 0; i < submission->events->count; i++) {
        if (i > 0 && !buffer_append_text(out, ",", error))
            return false;
        if (!write_item(out, submission, i, error))
            return false;
    }
    return buffer_append_text(out, "]}", error);
}

static void answer_accepted_batch(struct submission *submission)
{
    struct buffer *body = call_scratch(submission->call);
    if (buffer_append_text(body, "{", NULL) && write_results(body, submission, NULL))
        call_answer_json(submission->call, 202, body);
    else
        call_answer_out_of_memory(submission->call);
}

static void answer_refused_batch(struct submission *submission)
{
    static const struct problem problem = {
        .code = PROBLEM_BATCH_REFUSED,
        .detail = "Every event was refused. results has a problem document for each of them, in "
                  "the order of the batch.",
    };
    struct buffer *body = call_scratch(submission->call);
    if (problem_write_open(body, &problem, NULL) && buffer_append_text(body, ",", NULL) &&
        write_results(body, submission, NULL))
        call_refuse_written(submission->call, &problem, body);
    else
        call_answer_out_of_memory(submission->call);
}

/* With nothing accepted and something not stored the whole batch is worth sending again, so the
 * answer as a whole says so. */
static void answer_batch(struct submission *submission)
{
    assert(submission->events->is_batch && submission->events->count > 0);
    const struct submission_item *failed = NULL;
    for (size_t i = 0; i < submission->events->count; i++) {
        if (submission_item_is_stored(&submission->items[i])) {
            answer_accepted_batch(submission);
            return;
        }
        if (submission->items[i].fate == ITEM_FAILED)
            failed = &submission->items[i];
    }
    if (failed != NULL)
        refuse_failed(submission, failed);
    else
        answer_refused_batch(submission);
}

void submission_answer(struct submission *submission, const struct application *final)
{
    if (submission->call->request == NULL || submission->call->is_answered)
        return;
    assert(submission->open == 0); /* each event has its fate */
    if (submission->events->is_batch)
        answer_batch(submission);
    else
        answer_one(submission, final);
}
