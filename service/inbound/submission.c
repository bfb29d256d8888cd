/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/submission.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/inbound/batch.h"
#include "service/inbound/call.h"
#include "service/inbound/inbound_metrics.h"

static const struct {
    const char *name;
    enum intake_result counted_as;
} outcomes[] = {
    [ACCEPT_ACCEPTED] = {"accepted", INTAKE_ACCEPTED},
    [ACCEPT_DUPLICATE] = {"duplicate", INTAKE_DUPLICATE},
    [ACCEPT_REPLACED] = {"replaced", INTAKE_REPLACED},
    [ACCEPT_NO_TOKEN] = {"no_token", INTAKE_REFUSED},
};

const char *accept_outcome_name(enum accept_outcome outcome)
{
    return outcomes[outcome].name;
}

struct submission *submission_create(struct call *call, struct event_list *take_events)
{
    size_t count = take_events->count;
    struct submission *submission =
        calloc(1, sizeof *submission + count * sizeof submission->items[0]);
    if (submission == NULL) {
        event_list_destroy(take_events);
        return NULL;
    }
    submission->call = call;
    submission->events = take_events;
    return submission;
}

void submission_destroy(struct submission *submission)
{
    if (submission == NULL)
        return;
    event_list_destroy(submission->events);
    free(submission);
}

static void count_event(struct submission *submission, enum intake_result result)
{
    metric_add(&submission->call->front->metrics->events[result], 1);
}

static void log_stored(struct submission *submission, size_t index)
{
    const struct submission_item *item = &submission->items[index];
    const struct event *event = submission->events->entries[index].event;
    if (!log_is_enabled(LOG_INFO))
        return;
    if (item->outcome == ACCEPT_NO_TOKEN)
        log_info("event_refused", "No seek-token is known for the application",
                 LOG_TEXT("application", event->application_id),
                 LOG_TEXT("request_id", submission->call->request_id));
    else
        log_info("event_accepted", "The event is stored",
                 LOG_TEXT("application", event->application_id),
                 LOG_TEXT("event_id", item->event_id),
                 LOG_TEXT("result", accept_outcome_name(item->outcome)),
                 LOG_TEXT("durability", durability_name(item->durability)),
                 LOG_TEXT("request_id", submission->call->request_id));
}

static void note_failed(struct submission *submission, size_t index,
                        const struct store_failure *failure)
{
    submission->items[index].fate = ITEM_FAILED;
    submission->items[index].failure = failure->status;
    (void)snprintf(submission->failure_detail, sizeof submission->failure_detail, "%s",
                   failure->detail);
    count_event(submission, INTAKE_UNAVAILABLE);
}

static void note_stored(struct submission *submission, size_t index,
                        const struct batch_result *result)
{
    struct submission_item *item = &submission->items[index];
    item->fate = ITEM_STORED;
    item->outcome = result->result->outcome;
    item->state = result->result->state;
    item->durability = result->durability;
    /* A duplicate has the id of the first, everything else its own. */
    if (item->outcome == ACCEPT_DUPLICATE && result->result->event_id != NULL)
        (void)snprintf(item->event_id, sizeof item->event_id, "%s", result->result->event_id);
    count_event(submission, outcomes[item->outcome].counted_as);
    log_stored(submission, index);
    call_note_available(submission->call);
}

/* ---- waiting for the final state ---- */

static struct submission *submission_of(struct guest *guest)
{
    return (struct submission *)(void *)((char *)guest - offsetof(struct submission, guest));
}

static void expire(struct guest *guest)
{
    submission_answer(submission_of(guest), NULL);
}

/* A look that fails changes nothing: the event is stored, and the next look may succeed. */
static void take_look(void *context, const struct store_failure *failure,
                      const struct application *application)
{
    struct call *call = context;
    struct submission *submission = call->submission;
    guest_looked(&submission->guest, clock_monotonic_ms());
    bool is_waiting = submission->guest.next != NULL;
    if (is_waiting && failure->status == STORE_OK) {
        if (application != NULL)
            submission->items[0].state = application->state;
        if (application == NULL /* forgotten meanwhile */ ||
            delivery_state_is_final(application->state)) {
            guest_leave(&submission->guest);
            submission_answer(submission, application);
        }
    }
    call_release(call);
}

static void look(struct guest *guest)
{
    struct submission *submission = submission_of(guest);
    struct call *call = submission->call;
    struct error error;
    call_hold(call);
    if (store_get(call->front->store, submission->events->entries[0].event->application_id,
                  take_look, call, &error))
        return;
    guest_looked(guest, clock_monotonic_ms());
    call_release(call);
}

void submission_stop_waiting(struct submission *submission)
{
    guest_leave(&submission->guest);
}

/* What Redis has of an application while its event is in the spool is not the outcome of that. */
static bool has_to_wait(const struct submission *submission)
{
    const struct submission_item *item = &submission->items[0];
    return submission->wait_ms > 0 && item->fate == ITEM_STORED &&
           item->outcome != ACCEPT_NO_TOKEN && item->durability.level != DURABILITY_SPOOL &&
           submission->call->request != NULL;
}

/* ---- storing ---- */

static void note_duration(const struct call *call)
{
    if (call->request != NULL)
        metric_observe_us(&call->front->metrics->intake_duration,
                          clock_monotonic_us() - http_request_started_us(call->request));
}

static void conclude(struct submission *submission)
{
    note_duration(submission->call);
    if (!has_to_wait(submission)) {
        submission_answer(submission, NULL);
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    submission->guest.look = look;
    submission->guest.expire = expire;
    waiting_room_enter(submission->call->front->waits, &submission->guest, now_ms,
                       submission->wait_ms);
    /* A duplicate may be over already; its answer needs the outcome, which one look gives. */
    if (delivery_state_is_final(submission->items[0].state))
        submission->guest.look_at_ms = now_ms;
}

static void take_result(void *context, size_t index, const struct batch_result *result)
{
    struct call *call = context;
    struct submission *submission = call->submission;
    if (result->failure->status == STORE_OK)
        note_stored(submission, index, result);
    else
        note_failed(submission, index, result->failure);
    if (--submission->open == 0)
        conclude(submission);
    call_release(call);
}

static struct accept_item accept_item_of(const struct submission *submission, size_t index)
{
    const struct event *event = submission->events->entries[index].event;
    const char *outer = submission->traceparent[0] != '\0' ? submission->traceparent : NULL;
    return (struct accept_item){
        .application_id = event->application_id,
        .seek_token = event->seek_token,
        .event_id = submission->items[index].event_id,
        .completed_at_ms = event->completed_at_ms,
        .traceparent = event->traceparent != NULL ? event->traceparent : outer,
    };
}

/* Everything is measured before anything is added: a request is taken whole or not at all. */
static bool reserve(struct submission *submission, struct error *error)
{
    const struct event_list *events = submission->events;
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < events->count; i++) {
        if (events->entries[i].event == NULL)
            continue;
        submission->items[i].fate = ITEM_OPEN;
        call_make_event_id(submission->items[i].event_id);
        const struct accept_item item = accept_item_of(submission, i);
        bytes += batch_item_bytes(&item);
        count++;
    }
    return batch_reserve(submission->call->front->batch, count, bytes, error);
}

static void count_events(struct submission *submission, bool is_taken)
{
    for (size_t i = 0; i < submission->events->count; i++) {
        if (submission->items[i].fate == ITEM_REJECTED)
            count_event(submission, INTAKE_REFUSED);
        else if (!is_taken)
            count_event(submission, INTAKE_UNAVAILABLE);
    }
}

void submission_gather(struct submission *submission)
{
    struct call *call = submission->call;
    struct error error;
    if (!reserve(submission, &error)) {
        count_events(submission, false);
        call_refuse(call,
                    &(struct problem){.code = error.kind == ERROR_FULL ? PROBLEM_OVERLOADED
                                                                       : PROBLEM_OUT_OF_MEMORY,
                                      .detail = error.message});
        return;
    }
    count_events(submission, true);
    for (size_t i = 0; i < submission->events->count; i++) {
        if (submission->items[i].fate != ITEM_OPEN)
            continue;
        const struct accept_item item = accept_item_of(submission, i);
        call_hold(call);
        submission->open++;
        batch_add(call->front->batch, &item, take_result, call, i);
    }
    if (submission->open == 0)
        submission_answer(submission, NULL);
}
