/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/http1_caller.h"

#include "lib/net/http_fault.h"

#include "service/sandbox/answer.h"
#include "service/sandbox/exchange.h"

static const char *method(const void *request)
{
    return http_request_method(request);
}

static const char *header(const void *request, const char *name)
{
    return http_request_header(request, name);
}

static const char *body(const void *request, size_t *out_length)
{
    return http_request_body(request, out_length);
}

static void attach(void *request, struct exchange *exchange)
{
    http_request_set_user_data(request, exchange);
}

static void answer(void *request, const struct sandbox_answer *answer)
{
    struct http_reply reply = {
        .status = answer->status,
        .content_type = answer->body.length > 0 ? answer->content_type : NULL,
        .body = answer->body.bytes,
        .body_length = answer->body.length,
        .headers = {{answer->header_name, answer->header_value}},
    };
    switch (answer->ending) {
    case ANSWER_SENT:
        http_request_reply(request, &reply);
        return;
    case ANSWER_RESET:
        http_request_fail(request, HTTP_FAULT_RESET, NULL);
        return;
    case ANSWER_CUT:
        http_request_fail(request, HTTP_FAULT_CUT_BODY, &reply);
        return;
    case ANSWER_THEN_CLOSED:
        http_request_fail(request, HTTP_FAULT_CLOSE_AFTER, &reply);
        return;
    case ANSWER_LARGE_HEAD:
        http_request_reply_large_head(request, &reply, answer->head_bytes);
        return;
    case ANSWER_GOAWAY_AFTER: /* the closest to it */
        reply.is_last = true;
        http_request_reply(request, &reply);
        return;
    case ANSWER_CLOSED:
    case ANSWER_WITHHELD: /* it was released */
    case ANSWER_GOAWAY:   /* the closest to these two */
    case ANSWER_REFUSED_STREAM:
        http_request_fail(request, HTTP_FAULT_CLOSE, NULL);
        return;
    }
}

static void drop(void *request)
{
    http_request_fail(request, HTTP_FAULT_CLOSE, NULL);
}

struct caller http1_caller(struct http_request *request)
{
    static const struct caller_calls calls = {method, header, body, attach, answer, drop};
    return (struct caller){&calls, request};
}

void http1_caller_end(struct http_request *request)
{
    exchange_end(http_request_user_data(request));
}
