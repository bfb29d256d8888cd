/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * POST /v1/events: from the request to a submission.
 */
#include <string.h>

#include "service/inbound/call.h"
#include "service/inbound/endpoints.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/media_type.h"
#include "service/inbound/submission.h"
#include "service/inbound/wait.h"
#include "service/tracing/span.h"

static const struct {
    const char *media_type;
    enum event_format format;
} formats[] = {
    {"application/json", EVENT_FORMAT_JSON},
    {"application/x-ndjson", EVENT_FORMAT_NDJSON},
    {"application/ndjson", EVENT_FORMAT_NDJSON},
    {"application/jsonl", EVENT_FORMAT_NDJSON},
    {"application/cloudevents+json", EVENT_FORMAT_CLOUD_EVENT},
    {"application/cloudevents-batch+json", EVENT_FORMAT_CLOUD_EVENT_BATCH},
};
static const char accept_post[] =
    "application/json, application/x-ndjson, "
    "application/cloudevents+json, application/cloudevents-batch+json";

static void refuse_events(struct call *call, const struct problem *problem)
{
    metric_add(&call->front->metrics->events[INTAKE_REFUSED], 1);
    call_refuse(call, problem);
}

static bool read_format(struct call *call, enum event_format *out)
{
    const char *header = http_request_header(call->request, "Content-Type");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (!media_type_is(header, formats[i].media_type))
            continue;
        *out = formats[i].format;
        return true;
    }
    metric_add(&call->front->metrics->events[INTAKE_REFUSED], 1);
    call_refuse_with(call,
                     &(struct problem){.code = PROBLEM_CONTENT_TYPE_UNSUPPORTED,
                                       .detail = header == NULL ? "There is no Content-Type."
                                                                : "This Content-Type is not known.",
                                       .remedy = "Send Content-Type: application/json."},
                     (struct http_header){"Accept-Post", accept_post});
    return false;
}

/* CloudEvents HTTP binding, binary mode: the attributes are headers, the body is `data`. It is told
 * by any of the required ones, so that a forgotten one is pointed out instead of ignored. */
static bool check_binary_cloud_event(struct call *call, int64_t *out_time_ms)
{
    *out_time_ms = EVENT_COMPLETED_AT_UNKNOWN;
    const struct cloud_attributes attributes = {
        .id = http_request_header(call->request, "ce-id"),
        .source = http_request_header(call->request, "ce-source"),
        .specversion = http_request_header(call->request, "ce-specversion"),
        .type = http_request_header(call->request, "ce-type"),
        .time = http_request_header(call->request, "ce-time"),
    };
    if (attributes.id == NULL && attributes.source == NULL && attributes.specversion == NULL &&
        attributes.type == NULL)
        return true;
    struct rejection rejection;
    if (event_cloud_attributes_check(&attributes, out_time_ms, &rejection))
        return true;
    const struct problem problem = problem_from_rejection(&rejection);
    refuse_events(call, &problem);
    return false;
}

static bool read_wait(struct call *call, int64_t *out_ms)
{
    const char *text = http_request_query(call->request, "wait");
    *out_ms = 0;
    if (text == NULL || wait_parse(text, out_ms))
        return true;
    refuse_events(call, &(struct problem){.code = PROBLEM_WAIT_INVALID,
                                          .detail = "wait is not a duration of at most 30 seconds.",
                                          .remedy = "Send for example wait=5s or wait=500ms."});
    return false;
}

static struct event_list *read_events(struct call *call, enum event_format format)
{
    size_t length;
    const char *body = http_request_body(call->request, &length);
    struct rejection rejection;
    struct event_list *events =
        event_list_parse(body, length, format, call->front->batch_max, &rejection);
    if (events == NULL) {
        const struct problem problem = problem_from_rejection(&rejection);
        refuse_events(call, &problem);
    }
    return events;
}

/* Holding the answer of a batch for its slowest event helps nobody; ignoring the wish would
 * surprise. So it is refused, before anything is stored. */
static bool check_wait_of_batch(struct call *call, const struct event_list *events, int64_t wait_ms)
{
    if (!events->is_batch || wait_ms == 0)
        return true;
    refuse_events(call,
                  &(struct problem){.code = PROBLEM_WAIT_INVALID,
                                    .detail = "wait is for single events, and this is a batch.",
                                    .remedy = "Leave wait out, or send the events singly."});
    return false;
}

/* The trace of the request is that of its events, as far as they name none themselves. What is sent
 * for them is below the request's span, when it has one. */
static void keep_traceparent(struct submission *submission)
{
    const struct call *call = submission->call;
    const char *of_event = http_request_header(call->request, "ce-traceparent");
    const char *of_request = call->span != NULL ? call->span->traceparent
                                                : http_request_header(call->request, "traceparent");
    if (of_event != NULL && traceparent_read(of_event, submission->traceparent))
        return;
    if (of_request != NULL)
        (void)traceparent_read(of_request, submission->traceparent);
}

void events_post(struct call *call)
{
    enum event_format format;
    int64_t wait_ms, time_ms = EVENT_COMPLETED_AT_UNKNOWN;
    if (!read_format(call, &format) || !read_wait(call, &wait_ms) ||
        (format == EVENT_FORMAT_JSON && !check_binary_cloud_event(call, &time_ms)))
        return;
    AUTO(event_list) *events = read_events(call, format);
    if (events == NULL || !check_wait_of_batch(call, events, wait_ms))
        return;
    for (size_t i = 0; i < events->count; i++) {
        if (events->entries[i].event != NULL)
            event_default_completed_at(events->entries[i].event, time_ms);
    }
    call->submission = submission_create(call, STEAL(events));
    if (call->submission == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    call->submission->wait_ms = wait_ms;
    keep_traceparent(call->submission);
    submission_gather(call->submission);
}
