/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/submission.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "service/inbound/batch.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/outage.h"
#include "service/inbound/service_view.h"
#include "service/inbound/submission_answer.h"
#include "service/outbound/worker_pool.h"
#include "service/tracing/span.h"

/* ---- as the work of its call ---- */

/* A single event is named, so that the trace leads to its lines in the log. */
static void describe(const struct call_work *work, struct span *span)
{
    const struct submission *submission = (const struct submission *)work;
    span->event_count = submission->events->count;
    if (!submission->events->is_batch)
        memcpy(span->event_id, submission->items[0].event_id, sizeof span->event_id);
}

static void destroy(struct call_work *work)
{
    struct submission *submission = (struct submission *)work;
    /* Who waits has a request without an answer, which cannot be over: see `over` in http_server.c;
     * when the intake stops, waiting ends first. */
    assert(submission->waiter.next == NULL);
    if (submission->outcome.loop != NULL)
        worker_pool_remove_waiter(submission->call->context->view->worker_pool,
                                  &submission->outcome);
    event_list_destroy(submission->events);
    free(submission);
}

struct submission *submission_create(struct call *call, struct event_list *take_events)
{
    assert(call->work == NULL);
    size_t count = take_events->count;
    struct submission *submission =
        calloc(1, sizeof *submission + count * sizeof submission->items[0]);
    if (submission == NULL) {
        event_list_destroy(take_events);
        return NULL;
    }
    submission->work = (struct call_work){.describe = describe, .destroy = destroy};
    submission->call = call;
    submission->events = take_events;
    call->work = &submission->work;
    return submission;
}

/* ---- what became of its events ---- */

static void count_event(struct submission *submission, enum intake_result result)
{
    assert(result < INTAKE_RESULT_COUNT);
    metric_add(&submission->call->context->metrics[INBOUND_EVENTS + result], 1);
}

static void log_stored(struct submission *submission, size_t index)
{
    assert(submission->items[index].fate == ITEM_STORED);
    const struct submission_item *item = &submission->items[index];
    const struct event *event = submission->events->entries[index].event;
    if (!log_is_enabled(LOG_INFO))
        return;
    const struct outcome_kind *kind = submission_outcome_kind(item->outcome);
    if (kind->refusal != NULL)
        log_info("event_refused", kind->refusal, LOG_TEXT("application", event->application_id),
                 LOG_TEXT("request_id", submission->call->request_id));
    else
        log_info("event_accepted", "The event is stored",
                 LOG_TEXT("application", event->application_id),
                 LOG_TEXT("event_id", item->event_id), LOG_TEXT("result", kind->name),
                 LOG_TEXT("durability", durability_name(item->durability)),
                 LOG_TEXT("request_id", submission->call->request_id));
}

static void note_failed(struct submission *submission, size_t index,
                        const struct store_failure *failure)
{
    assert(submission->items[index].fate != ITEM_STORED && failure->status != STORE_OK);
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
    assert(index < submission->events->count && result->result != NULL);
    item->fate = ITEM_STORED;
    item->outcome = result->result->outcome;
    item->state = result->result->state;
    item->durability = result->durability;
    /* A duplicate has the id of the first, everything else its own. */
    if (item->outcome == ACCEPT_DUPLICATE && result->result->event_id != NULL)
        (void)snprintf(item->event_id, sizeof item->event_id, "%s", result->result->event_id);
    count_event(submission, submission_outcome_kind(item->outcome)->counted_as);
    log_stored(submission, index);
    outage_note_stored(submission->call);
}

/* ---- waiting for the final state ---- */

static struct submission *submission_of(struct waiter *waiter)
{
    return (struct submission *)(void *)((char *)waiter - offsetof(struct submission, waiter));
}

static void expire(struct waiter *waiter)
{
    submission_answer(submission_of(waiter), NULL);
}

/* Before its event can be anybody's, so that no call is missed. */
static void await_outcome(struct submission *submission)
{
    const struct inbound_context *context = submission->call->context;
    const struct event *event = submission->events->entries[0].event;
    if (submission->wait_ms == 0 || event == NULL || context->view->worker_pool == NULL)
        return;
    assert(!submission->events->is_batch);
    submission->outcome = (struct outcome_waiter){
        .application_id = event->application_id,
        .loop = context->loop,
        .is_called = &submission->waiter.is_called,
    };
    worker_pool_add_waiter(context->view->worker_pool, &submission->outcome);
}

/* A look that fails changes nothing: the event is stored, and the next look may succeed. */
static void take_look(void *context, const struct store_failure *failure,
                      const struct application *application)
{
    struct submission *submission = context;
    waiter_looked(&submission->waiter, clock_monotonic_ms());
    bool is_waiting = submission->waiter.next != NULL;
    if (is_waiting && failure->status == STORE_OK) {
        if (application != NULL)
            submission->items[0].state = application->state;
        if (application == NULL /* forgotten meanwhile */ ||
            delivery_state_is_final(application->state)) {
            waiter_leave(&submission->waiter);
            submission_answer(submission, application);
        }
    }
    call_release(submission->call);
}

static void look(struct waiter *waiter)
{
    struct submission *submission = submission_of(waiter);
    assert(waiter->is_looking && !submission->events->is_batch);
    struct error error;
    if (store_get(submission->call->context->store,
                  submission->events->entries[0].event->application_id, take_look, submission,
                  &error))
        call_hold(submission->call);
    else
        waiter_looked(waiter, clock_monotonic_ms());
}

/* What Redis has of an application while its event is in the spool is not the outcome of that. */
static bool has_to_wait(const struct submission *submission)
{
    const struct submission_item *item = &submission->items[0];
    return submission->wait_ms > 0 && submission_item_is_stored(item) &&
           item->durability.level != DURABILITY_SPOOL && submission->call->request != NULL;
}

/* ---- storing ---- */

static void note_duration(const struct call *call)
{
    if (call->request != NULL)
        metric_observe_us(&call->context->metrics[INBOUND_INTAKE_DURATION],
                          clock_monotonic_us() - http_request_started_us(call->request));
}

/* Those who wait have a share of the connections, so that there are some for whoever does not. The
 * event is stored: who may not wait is told so at once, as if the time was over. */
static bool may_wait(const struct submission *submission)
{
    const struct inbound_context *context = submission->call->context;
    bool was_full = context->waits->is_full;
    if (waiting_room_has_place(context->waits))
        return true;
    metric_add(&context->metrics[INBOUND_WAITS_CUT], 1);
    if (!was_full)
        log_warn("waits_full",
                 "A quarter of the connections wait with ?wait=, which is the maximum. "
                 "Further requests with ?wait= get 202 at once. Use ?wait= for few requests, or "
                 "raise MAX_CONNECTIONS",
                 LOG_INT("waiting", context->waits->max));
    return false;
}

static void finish(struct submission *submission)
{
    assert(submission->open == 0);
    note_duration(submission->call);
    if (!has_to_wait(submission) || !may_wait(submission)) {
        submission_answer(submission, NULL);
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    submission->waiter.look = look;
    submission->waiter.expire = expire;
    waiting_room_enter(submission->call->context->waits, &submission->waiter, now_ms,
                       submission->wait_ms);
    /* A duplicate may be over already; its answer needs the outcome, which one look gives. */
    if (delivery_state_is_final(submission->items[0].state))
        submission->waiter.look_at_ms = now_ms;
}

static void take_result(void *context, size_t index, const struct batch_result *result)
{
    struct submission *submission = context;
    assert(submission->open > 0);
    if (result->failure->status == STORE_OK)
        note_stored(submission, index, result);
    else
        note_failed(submission, index, result->failure);
    if (--submission->open == 0)
        finish(submission);
    call_release(submission->call);
}

static struct accept_item accept_item_of(const struct submission *submission, size_t index)
{
    assert(submission->items[index].fate == ITEM_OPEN);
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
    return batch_reserve(submission->call->context->batch, count, bytes, error);
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
    assert(submission->open == 0 && submission->events->count > 0);
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
    await_outcome(submission);
    for (size_t i = 0; i < submission->events->count; i++) {
        if (submission->items[i].fate != ITEM_OPEN)
            continue;
        const struct accept_item item = accept_item_of(submission, i);
        call_hold(call);
        submission->open++;
        batch_add(call->context->batch, &item, take_result, submission, i);
    }
    if (submission->open == 0)
        submission_answer(submission, NULL);
}
