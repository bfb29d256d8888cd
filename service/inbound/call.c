/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/call.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/random.h"

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/media_type.h"
#include "service/inbound/outage.h"
#include "service/inbound/service_view.h"
#include "service/inbound/spool_batch.h"
#include "service/tracing/tracer.h"

enum { SCRATCH_KEPT_BYTES = 64 * 1024 };

static const char problem_content_type[] = "application/problem+json";

/* The caller's own id is kept when it can be printed: it is echoed and logged. */
static void read_request_id(struct call *call)
{
    const char *given = http_request_header(call->request, "X-Request-Id");
    size_t length = given == NULL ? 0 : strlen(given);
    bool is_usable = length > 0 && length < REQUEST_ID_BYTES;
    for (size_t i = 0; is_usable && i < length; i++)
        is_usable = ascii_is_visible(given[i]);
    if (is_usable)
        memcpy(call->request_id, given, length + 1);
    else
        uuid_v4(call->request_id);
}

struct call *call_create(struct inbound_context *context, struct http_request *request)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->context = context;
    call->request = request;
    read_request_id(call);
    http_request_set_user_data(request, call);
    if (context->metrics != NULL)
        metric_add(&context->metrics[INBOUND_OPEN_REQUESTS], 1);
    return call;
}

void call_trace(struct call *call)
{
    assert(call->span == NULL && !call->is_answered);
    struct tracer *tracer = call->context->view->tracer;
    if (tracer != NULL)
        call->span =
            tracer_begin(tracer, SPAN_INTAKE, http_request_header(call->request, "traceparent"));
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
    if (call->work != NULL && call->work->describe != NULL)
        call->work->describe(call->work, span);
    tracer_end(call->context->view->tracer, span,
               clock_monotonic_us() - http_request_started_us(call->request));
}

static void free_unless_used(struct call *call)
{
    if (call->request != NULL || call->holds > 0)
        return;
    assert(call->is_answered || call->span == NULL);
    if (call->work != NULL)
        call->work->destroy(call->work);
    free(call);
}

void call_end(struct call *call)
{
    assert(call->request != NULL);
    if (call->context->metrics != NULL)
        metric_add(&call->context->metrics[INBOUND_OPEN_REQUESTS], -1);
    end_span(call, 0);
    call->request = NULL;
    free_unless_used(call);
}

void call_hold(struct call *call)
{
    assert(call->request != NULL || call->holds > 0); /* else it is gone */
    call->holds++;
}

void call_release(struct call *call)
{
    assert(call->holds > 0);
    call->holds--;
    free_unless_used(call);
}

void call_note_who(struct call *call)
{
    http_request_address(call->request, call->peer);
}

struct buffer *call_scratch(struct call *call)
{
    buffer_clear(&call->context->scratch);
    return &call->context->scratch;
}

/* Answers name applications, and browsers have no business with them: nothing is cached, sniffed or
 * shared with a page of another origin. What such a page may send is judged by origin.h. */
void call_answer(struct call *call, const struct answer *answer)
{
    if (call->request == NULL || call->is_answered)
        return;
    assert(answer->status >= 200 && answer->status <= 599);
    struct http_reply reply = {
        .status = answer->status,
        .content_type = answer->content_type,
        .body = answer->body,
        .body_length = answer->body_length,
        .is_body_static = answer->is_body_static,
        /* Who asks again while it stops comes by a new connection, perhaps to another process. */
        .is_last = call->is_last || atomic_load(&call->context->view->is_draining),
        .headers = {{"X-Content-Type-Options", "nosniff"},
                    {"Cache-Control", "no-store"},
                    {"X-Request-Id", call->request_id}},
    };
    for (size_t i = 0; i < ANSWER_HEADERS_MAX && answer->headers[i].name != NULL; i++)
        reply.headers[3 + i] = answer->headers[i];
    assert(answer->body_length == 0 || answer->body != NULL);
    call->is_answered = true;
    end_span(call, answer->status);
    if (call->context->metrics != NULL)
        inbound_metrics_count_reply(call->context->metrics, answer->status,
                                    clock_monotonic_us() - http_request_started_us(call->request));
    http_request_reply(call->request, &reply);
    /* What one large answer took is not kept for small ones. */
    if (call->context->scratch.capacity > SCRATCH_KEPT_BYTES)
        buffer_fini(&call->context->scratch);
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

static void log_refusal(const struct call *call, const struct problem *problem)
{
    assert(call->request != NULL && !call->is_answered);
    const struct problem_kind *kind = problem_kind(problem->code);
    if (kind->status < 500)
        log_info("request_refused", problem_detail(problem), LOG_TEXT("code", kind->name),
                 LOG_TEXT("field", problem->field), LOG_TEXT("application", call->application_id),
                 LOG_TEXT("request_id", call->request_id));
}

/* Must not allocate, as far as that is in our hands. */
void call_answer_out_of_memory(struct call *call)
{
    static const char body[] =
        "{\"type\":\"urn:seek-signal:problem:out_of_memory\",\"title\":\"The service is out of "
        "memory\",\"status\":503,\"code\":\"out_of_memory\",\"retryable\":true,"
        "\"detail\":\"Memory for this request could not be allocated.\","
        "\"remedy\":\"Send it again after Retry-After. If this lasts, give the service more "
        "memory.\"}";
    outage_note_refusal(call, &(struct problem){.code = PROBLEM_OUT_OF_MEMORY});
    call_answer(call, &(struct answer){.status = 503,
                                       .content_type = problem_content_type,
                                       .body = body,
                                       .body_length = sizeof body - 1,
                                       .is_body_static = true,
                                       .headers = {{"Retry-After", "1"}}});
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
    assert(header_count < ANSWER_HEADERS_MAX);
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
    outage_note_refusal(call, problem);
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
    static const enum problem_code codes[] = {[STORE_UNAVAILABLE] = PROBLEM_STORE_UNAVAILABLE,
                                              [STORE_REFUSED] = PROBLEM_STORE_REFUSED,
                                              [STORE_DAMAGED] = PROBLEM_APPLICATION_DAMAGED};
    assert(status != STORE_OK && (size_t)status < sizeof codes / sizeof codes[0]);
    return codes[status];
}

void call_refuse_store(struct call *call, const struct store_failure *failure)
{
    call_refuse(call,
                &(struct problem){.code = problem_code_of_store(failure->status),
                                  .detail = failure->detail,
                                  .remedy = failure->status == STORE_DAMAGED
                                                ? "DELETE the application, then send it again."
                                                : NULL});
}

void call_refuse_untaken(struct call *call, const struct error *error)
{
    call_refuse(call,
                &(struct problem){.code = error->kind == ERROR_MEMORY ? PROBLEM_OUT_OF_MEMORY
                                                                      : PROBLEM_STORE_UNAVAILABLE,
                                  .detail = error->message});
}

void call_start(struct call *call, bool is_taken, const struct error *error)
{
    if (is_taken) /* the store answers in a later turn */
        call_hold(call);
    else
        call_refuse_untaken(call, error);
}

bool call_is_awaiting_spool(struct call *call, const char *application_id)
{
    static const struct store_failure held = {
        .status = STORE_UNAVAILABLE,
        .detail = "The spool holds events that Redis does not have yet."};
    const struct spool_batch *batch = call->context->spool;
    if (batch == NULL || !spool_is_holding_for(spool_batch_spool(batch), application_id))
        return false;
    call_refuse_store(call, &held);
    return true;
}

void call_refuse_bodies_full(struct call *call)
{
    if (call->context->metrics != NULL)
        metric_add(&call->context->metrics[INBOUND_BODIES_REFUSED], 1);
    static const struct problem full = {
        PROBLEM_BODIES_FULL, "The bodies of all requests together are over BODIES_BYTES_MAX.",
        .remedy = "Send it again after Retry-After. Send smaller batches, or fewer at a time."};
    call_refuse(call, &full);
}

const char *call_body(const struct call *call, size_t *out_length)
{
    static const char mark[] = "\xef\xbb\xbf";
    const size_t mark_length = sizeof mark - 1;
    const char *body = http_request_body(call->request, out_length);
    if (*out_length < mark_length || memcmp(body, mark, mark_length) != 0)
        return body;
    *out_length -= mark_length;
    return body + mark_length;
}

void call_refuse_content_type(struct call *call, struct http_header header)
{
    enum { SHOWN_BYTES_MAX = 100 };
    const char *given = http_request_header(call->request, "Content-Type");
    char detail[SHOWN_BYTES_MAX + 80] = "There is no Content-Type.";
    bool is_charset = given != NULL && media_type_has_other_charset(given);
    if (given != NULL)
        (void)snprintf(detail, sizeof detail, "%s: Content-Type: %.*s",
                       is_charset ? "The charset is not UTF-8" : "This one is not supported",
                       SHOWN_BYTES_MAX, given);
    call_refuse_with(call,
                     &(struct problem){.code = PROBLEM_CONTENT_TYPE_UNSUPPORTED,
                                       .detail = detail,
                                       .remedy = is_charset
                                                     ? "Encode the body in UTF-8, and leave "
                                                       "charset out of the Content-Type."
                                                     : "Send Content-Type: application/json. Many "
                                                       "clients send text/plain or a form's type "
                                                       "when none is set."},
                     header);
}

bool call_is_json(struct call *call)
{
    if (media_type_is(http_request_header(call->request, "Content-Type"), "application/json"))
        return true;
    call_refuse_content_type(call, (struct http_header){NULL, NULL});
    return false;
}

static bool is_of_browser(const struct call *call)
{
    static const char *const headers[] = {"Origin", "Referer", "Sec-Fetch-Site", "Cookie"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (http_request_header(call->request, headers[i]) != NULL)
            return true;
    return false;
}

bool call_is_json_or_bare(struct call *call)
{
    size_t length;
    (void)call_body(call, &length);
    return (length == 0 && !is_of_browser(call)) || call_is_json(call);
}

void call_make_event_id(char text[ATTEMPT_ID_BYTES])
{
    const uint64_t numbers[2] = {random_u64(), random_u64()};
    unsigned char bytes[sizeof numbers];
    memcpy(bytes, numbers, sizeof numbers);
    event_id_make(bytes, text);
}
