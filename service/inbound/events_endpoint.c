/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * POST /v1/events: from the request to a submission.
 */
#include <assert.h>
#include <string.h>

#include "lib/base/budget.h"
#include "lib/base/json.h"
#include "lib/base/percent.h"

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
    metric_add(&call->context->metrics[INBOUND_EVENTS + INTAKE_REFUSED], 1);
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
    if (media_type_is_json(header)) { /* after those above, which end in +json too */
        *out = EVENT_FORMAT_JSON;
        return true;
    }
    metric_add(&call->context->metrics[INBOUND_EVENTS + INTAKE_REFUSED], 1);
    call_refuse_content_type(call, (struct http_header){"Accept-Post", accept_post});
    return false;
}

enum { CE_VALUE_BYTES = 256 };

/* As the HTTP binding 1.0.2 has it in section 3.1.3.2: quotes are taken off, then one round of
 * percent-decoding. What cannot be decoded, or is longer than any value that counts, stays as it
 * is.
 */
static const char *ce_header(const struct call *call, const char *name, char text[CE_VALUE_BYTES])
{
    const char *value = http_request_header(call->request, name);
    if (value == NULL || strpbrk(value, "%\"") == NULL)
        return value;
    size_t length = strlen(value);
    bool is_quoted = length >= 2 && value[0] == '"' && value[length - 1] == '"';
    char bare[CE_VALUE_BYTES];
    size_t bare_length = 0;
    for (size_t i = is_quoted; i < length - is_quoted; i++) {
        if (bare_length == sizeof bare)
            return value;
        if (is_quoted && value[i] == '\\' && i + 1 < length - is_quoted)
            i++;
        bare[bare_length++] = value[i];
    }
    size_t decoded;
    return percent_decode(bare, bare_length, text, CE_VALUE_BYTES, &decoded) == PERCENT_DECODED
               ? text
               : value;
}

/* CloudEvents HTTP binding, binary mode: the attributes are headers, the body is `data`. It is told
 * by any of the required ones, so that a forgotten one is pointed out instead of ignored. */
static bool check_binary_cloud_event(struct call *call, int64_t *out_time_ms)
{
    *out_time_ms = EVENT_COMPLETED_AT_UNKNOWN;
    char text[5][CE_VALUE_BYTES];
    const struct cloud_attributes attributes = {
        .id = ce_header(call, "ce-id", text[0]),
        .source = ce_header(call, "ce-source", text[1]),
        .specversion = ce_header(call, "ce-specversion", text[2]),
        .type = ce_header(call, "ce-type", text[3]),
        .time = ce_header(call, "ce-time", text[4]),
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

/* What is read from a body for a moment, at most: see json.h. That of a small one is not counted.
 */
static size_t tree_bytes(size_t body_bytes)
{
    enum { UNCOUNTED_BYTES = 8192, PER_BYTE = 300 };
    if (body_bytes <= UNCOUNTED_BYTES)
        return 0;
    return body_bytes < JSON_TREE_BYTES_MAX / PER_BYTE ? body_bytes * PER_BYTE
                                                       : JSON_TREE_BYTES_MAX;
}

static struct event_list *read_events(struct call *call, enum event_format format)
{
    size_t length;
    const char *body = call_body(call, &length);
    struct budget *budget = call->context->bodies;
    struct rejection rejection;
    size_t room = budget != NULL ? tree_bytes(length) : 0;
    if (room > 0 && !budget_take(budget, room)) {
        metric_add(&call->context->metrics[INBOUND_EVENTS + INTAKE_UNAVAILABLE], 1);
        call_refuse_bodies_full(call);
        return NULL;
    }
    struct event_list *events =
        event_list_parse(body, length, format, call->context->batch_max, &rejection);
    if (room > 0)
        budget_give(budget, room);
    http_request_drop_body(call->request); /* the events are copies */
    assert(events == NULL || events->count > 0);
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
    assert(submission->traceparent[0] == '\0');
    const struct call *call = submission->call;
    char text[CE_VALUE_BYTES];
    const char *of_event = ce_header(call, "ce-traceparent", text);
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
    assert(!events->is_batch || wait_ms == 0);
    struct submission *submission = submission_create(call, STEAL(events));
    if (submission == NULL) {
        call_answer_out_of_memory(call);
        return;
    }
    submission->wait_ms = wait_ms;
    keep_traceparent(submission);
    submission_gather(submission);
}
