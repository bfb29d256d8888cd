/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/media_type.h"
#include "service/inbound/service_view.h"
#include "service/inbound/submission.h"
#include "service/tracing/tracer.h"

static const char problem_content_type[] = "application/problem+json";

/* The caller's own id is kept when it can be printed: it is echoed and logged. */
static void read_request_id(struct call *call)
{
    const char *given = http_request_header(call->request, "X-Request-Id");
    size_t length = given == NULL ? 0 : strlen(given);
    bool is_usable = length > 0 && length < REQUEST_ID_BYTES;
    for (size_t i = 0; is_usable && i < length; i++)
        is_usable = given[i] > ' ' && given[i] < 0x7f;
    if (is_usable)
        memcpy(call->request_id, given, length + 1);
    else
        uuid_v4(call->request_id);
}

struct call *call_create(struct front *front, struct http_request *request)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->front = front;
    call->request = request;
    read_request_id(call);
    http_request_set_user_data(request, call);
    if (front->metrics != NULL)
        metric_add(&front->metrics->open_requests, 1);
    return call;
}

void call_trace(struct call *call)
{
    struct tracer *tracer = call->front->view->tracer;
    if (tracer != NULL)
        call->span =
            tracer_begin(tracer, SPAN_INTAKE, http_request_header(call->request, "traceparent"));
}

/* A single event is named, so that the trace leads to its lines in the log. */
static void describe_events(struct span *span, const struct submission *submission)
{
    span->event_count = submission->events->count;
    if (!submission->events->is_batch)
        memcpy(span->event_id, submission->items[0].event_id, sizeof span->event_id);
}

/* `status` 0: the client left without an answer. */
static void end_span(struct call *call, unsigned status)
{
    struct span *span = call->span;
    call->span = NULL;
    if (span == NULL)
        return;
    span->http_status = status;
    if (status == 0)
        (void)snprintf(span->error_type, sizeof span->error_type, "CLIENT_LEFT");
    else if (status >= 500)
        (void)snprintf(span->error_type, sizeof span->error_type, "%u", status);
    if (call->submission != NULL)
        describe_events(span, call->submission);
    tracer_end(call->front->view->tracer, span,
               clock_monotonic_us() - http_request_started_us(call->request));
}

static void free_unless_used(struct call *call)
{
    if (call->request != NULL || call->holds > 0)
        return;
    submission_destroy(call->submission);
    free(call);
}

void call_end(struct call *call)
{
    assert(call->request != NULL);
    if (call->front->metrics != NULL)
        metric_add(&call->front->metrics->open_requests, -1);
    end_span(call, 0);
    call->request = NULL;
    if (call->submission != NULL)
        submission_stop_waiting(call->submission);
    free_unless_used(call);
}

void call_hold(struct call *call)
{
    call->holds++;
}

void call_release(struct call *call)
{
    assert(call->holds > 0);
    call->holds--;
    free_unless_used(call);
}

struct buffer *call_scratch(struct call *call)
{
    buffer_clear(&call->front->scratch);
    return &call->front->scratch;
}

/* Answers name applications, and browsers have no business with them: nothing is cached, sniffed or
 * shared with a page of another origin. What such a page may send is judged by origin.h. */
void call_answer(struct call *call, const struct answer *answer)
{
    if (call->request == NULL || call->is_answered)
        return;
    struct http_reply reply = {
        .status = answer->status,
        .content_type = answer->content_type,
        .body = answer->body,
        .body_length = answer->body_length,
        .is_body_static = answer->is_body_static,
        .headers = {{"X-Content-Type-Options", "nosniff"},
                    {"Cache-Control", "no-store"},
                    {"X-Request-Id", call->request_id}},
    };
    for (size_t i = 0; i < ANSWER_HEADERS_MAX && answer->headers[i].name != NULL; i++)
        reply.headers[3 + i] = answer->headers[i];
    call->is_answered = true;
    end_span(call, answer->status);
    if (call->front->metrics != NULL)
        inbound_metrics_count_reply(call->front->metrics, answer->status,
                                    clock_monotonic_us() - http_request_started_us(call->request));
    http_request_reply(call->request, &reply);
}

void call_answer_empty(struct call *call, unsigned status)
{
    call_answer(call, &(struct answer){.status = status});
}

void call_answer_json(struct call *call, unsigned status, const struct buffer *body)
{
    call_answer(call, &(struct answer){.status = status,
                                       .content_type = "application/json",
                                       .body = body->bytes,
                                       .body_length = body->length});
}

static const char *reason_of(const struct problem *problem)
{
    return problem->detail != NULL ? problem->detail : problem_kind(problem->code)->title;
}

static void log_refusal(const struct call *call, const struct problem *problem)
{
    const struct problem_kind *kind = problem_kind(problem->code);
    if (kind->status < 500)
        log_info("request_refused", reason_of(problem), LOG_TEXT("code", kind->name),
                 LOG_TEXT("field", problem->field), LOG_TEXT("request_id", call->request_id));
}

/* An outage refuses thousands of requests a second; its beginning and its end are what matters. */
static void log_outage(struct call *call, const struct problem *problem)
{
    const struct problem_kind *kind = problem_kind(problem->code);
    if (kind->status < 500 || problem->code == PROBLEM_SHUTTING_DOWN || call->front->is_unavailable)
        return;
    call->front->is_unavailable = true;
    log_warn("intake_unavailable", "Answering 503 until it is over", LOG_TEXT("code", kind->name),
             LOG_TEXT("reason", reason_of(problem)));
}

/* Must not allocate, as far as that is in our hands. */
void call_answer_out_of_memory(struct call *call)
{
    static const char body[] =
        "{\"type\":\"urn:seek-signal:problem:out_of_memory\",\"title\":\"The service is out of "
        "memory\",\"status\":503,\"code\":\"out_of_memory\",\"retryable\":true}";
    log_outage(call, &(struct problem){.code = PROBLEM_OUT_OF_MEMORY});
    call_answer(call, &(struct answer){.status = 503,
                                       .content_type = problem_content_type,
                                       .body = body,
                                       .body_length = sizeof body - 1,
                                       .is_body_static = true,
                                       .headers = {{"Retry-After", "1"}}});
}

void call_note_available(struct call *call)
{
    if (!call->front->is_unavailable)
        return;
    call->front->is_unavailable = false;
    log_info("intake_available", "Events are accepted again");
}

static void answer_problem(struct call *call, const struct problem *problem,
                           const struct buffer *document, struct http_header header)
{
    const struct problem_kind *kind = problem_kind(problem->code);
    struct answer answer = {.status = kind->status,
                            .content_type = problem_content_type,
                            .body = document->bytes,
                            .body_length = document->length};
    size_t header_count = 0;
    char seconds[16];
    if (kind->retry_after_s > 0) {
        (void)snprintf(seconds, sizeof seconds, "%u", kind->retry_after_s);
        answer.headers[header_count++] = (struct http_header){"Retry-After", seconds};
    }
    answer.headers[header_count] = header;
    log_refusal(call, problem);
    call_answer(call, &answer);
}

void call_refuse_written(struct call *call, const struct problem *problem,
                         const struct buffer *document)
{
    answer_problem(call, problem, document, (struct http_header){NULL, NULL});
}

void call_refuse_with(struct call *call, const struct problem *problem, struct http_header header)
{
    if (call->request == NULL || call->is_answered)
        return;
    log_outage(call, problem);
    struct buffer *document = call_scratch(call);
    if (problem_write(document, problem, NULL))
        answer_problem(call, problem, document, header);
    else
        call_answer_out_of_memory(call);
}

void call_refuse(struct call *call, const struct problem *problem)
{
    call_refuse_with(call, problem, (struct http_header){NULL, NULL});
}

enum problem_code problem_code_of_store(enum store_status status)
{
    return status == STORE_REFUSED ? PROBLEM_STORE_REFUSED : PROBLEM_STORE_UNAVAILABLE;
}

void call_refuse_store(struct call *call, const struct store_failure *failure)
{
    call_refuse(call, &(struct problem){.code = problem_code_of_store(failure->status),
                                        .detail = failure->detail});
}

void call_refuse_untaken(struct call *call, const struct error *error)
{
    call_refuse(call,
                &(struct problem){.code = error->kind == ERROR_MEMORY ? PROBLEM_OUT_OF_MEMORY
                                                                      : PROBLEM_STORE_UNAVAILABLE,
                                  .detail = error->message});
}

bool call_is_json(struct call *call)
{
    if (media_type_is(http_request_header(call->request, "Content-Type"), "application/json"))
        return true;
    call_refuse(call, &(struct problem){.code = PROBLEM_CONTENT_TYPE_UNSUPPORTED,
                                        .remedy = "Send Content-Type: application/json."});
    return false;
}

void call_make_event_id(char text[ATTEMPT_ID_BYTES])
{
    const uint64_t luck[2] = {random_u64(), random_u64()};
    unsigned char bytes[sizeof luck];
    memcpy(bytes, luck, sizeof luck);
    event_id_make(bytes, text);
}
