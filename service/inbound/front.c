/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/log.h"
#include "lib/base/percent.h"
#include "lib/base/secret.h"

#include "service/inbound/call.h"
#include "service/inbound/origin.h"
#include "service/inbound/routes.h"

void front_init(struct front *front)
{
    *front = (struct front){.routes = NULL};
    buffer_init(&front->scratch, ANSWER_BYTES_MAX);
}

void front_fini(struct front *front)
{
    buffer_fini(&front->scratch);
}

/* Without memory for a call there is still one for the request. */
static void reply_out_of_memory(struct http_request *request)
{
    http_request_reply(request,
                       &(struct http_reply){.status = 503, .headers = {{"Retry-After", "1"}}});
}

static bool check_origin(struct call *call)
{
    const struct origin_facts facts = {
        .method = http_request_method(call->request),
        .host = http_request_header(call->request, "Host"),
        .origin = http_request_header(call->request, "Origin"),
        .fetch_site = http_request_header(call->request, "Sec-Fetch-Site"),
        .is_local_and_keyless = call->front->is_local && call->front->api_key == NULL,
    };
    static const struct problem foreign_host = {
        .code = PROBLEM_FORBIDDEN_ORIGIN,
        .detail = "The request names another host than this machine.",
        .remedy = "Call 127.0.0.1 or localhost, or set SEEK_SIGNAL_API_KEY when a proxy in front "
                  "keeps its own Host header.",
    };
    static const struct problem foreign_site = {
        .code = PROBLEM_FORBIDDEN_ORIGIN,
        .detail = "The request comes from a page of another site.",
        .remedy = "Use the page that this service has itself, or a program instead of a browser.",
    };
    switch (origin_judge(&facts)) {
    case ORIGIN_FINE:
        return true;
    case ORIGIN_FOREIGN_HOST:
        call_refuse(call, &foreign_host);
        break;
    case ORIGIN_FOREIGN_SITE:
        call_refuse(call, &foreign_site);
        break;
    }
    return false;
}

static void refuse_key(struct call *call, bool is_given)
{
    static const struct problem missing = {
        .code = PROBLEM_UNAUTHORIZED,
        .detail = "This call needs the API key.",
        .remedy = "Send the header Authorization: Bearer <API key>.",
    };
    static const struct problem wrong = {
        .code = PROBLEM_UNAUTHORIZED,
        .detail = "The API key is not the one of this service.",
        .remedy = "Compare it with the setting SEEK_SIGNAL_API_KEY of the service.",
    };
    call_refuse_with(
        call, is_given ? &wrong : &missing,
        (struct http_header){"WWW-Authenticate",
                             is_given ? "Bearer realm=\"seek-signal\", error=\"invalid_token\""
                                      : "Bearer realm=\"seek-signal\""});
}

static bool check_key(struct call *call)
{
    static const char scheme[] = "Bearer ";
    if (!call->route->needs_api_key || call->front->api_key == NULL)
        return true;
    const char *header = http_request_header(call->request, "Authorization");
    bool is_given = header != NULL && strncasecmp(header, scheme, sizeof scheme - 1) == 0;
    if (is_given) {
        const char *candidate = header + sizeof scheme - 1;
        candidate += strspn(candidate, " ");
        if (secret_has_line(call->front->api_key, candidate))
            return true;
    }
    refuse_key(call, is_given);
    return false;
}

static bool read_application_id(struct call *call, const struct route_match *match)
{
    if (match->id == NULL)
        return true;
    struct rejection rejection;
    if (percent_decode(match->id, match->id_length, call->application_id,
                       sizeof call->application_id,
                       &call->application_id_length) == PERCENT_DECODED) {
        if (application_id_check(call->application_id, call->application_id_length, &rejection))
            return true;
    } else {
        (void)rejection_set(&rejection, REJECTED_APPLICATION_ID, "applicationId",
                            "Percent-encode the application id once, as one path segment.",
                            "The application id in the path is too long or badly encoded.");
    }
    const struct problem problem = problem_from_rejection(&rejection);
    call_refuse(call, &problem);
    return false;
}

static size_t body_bytes_max(const struct call *call)
{
    return call->route->body_bytes_max > 0 ? call->route->body_bytes_max
                                           : call->front->body_bytes_max;
}

static bool check_body_length(struct call *call, unsigned long long length)
{
    if (length <= body_bytes_max(call))
        return true;
    char detail[80];
    (void)snprintf(detail, sizeof detail, "At most %zu bytes are read here.", body_bytes_max(call));
    call_refuse(call, &(struct problem){.code = PROBLEM_BODY_TOO_LARGE, .detail = detail});
    return false;
}

static bool check_announced_length(struct call *call)
{
    const char *length = http_request_header(call->request, "Content-Length");
    return length == NULL || check_body_length(call, strtoull(length, NULL, 10));
}

/* What can be refused before the body is read is refused here; else `handle` goes on. */
static void begin(void *context, struct http_request *request)
{
    struct front *front = context;
    struct call *call = call_create(front, request);
    if (call == NULL) {
        reply_out_of_memory(request);
        return;
    }
    if (!check_origin(call))
        return;
    struct route_match match;
    switch (routes_find(front->routes, front->route_count, http_request_method(request),
                        http_request_path(request), &match)) {
    case ROUTE_FOUND:
        call->route = match.route;
        if (match.route->is_traced)
            call_trace(call);
        if (check_key(call) && read_application_id(call, &match))
            (void)check_announced_length(call); /* it has answered when it is too long */
        break;
    case ROUTE_OPTIONS:
        call_answer(call, &(struct answer){.status = 204, .headers = {{"Allow", match.allow}}});
        break;
    case ROUTE_NO_METHOD:
        call_refuse_with(call, &(struct problem){.code = PROBLEM_METHOD_NOT_ALLOWED},
                         (struct http_header){"Allow", match.allow});
        break;
    case ROUTE_NO_PATH:
        call_refuse(call, &(struct problem){.code = PROBLEM_NOT_FOUND,
                                            .remedy = "GET /openapi.yaml lists what is here."});
        break;
    }
}

static void handle(void *context, struct http_request *request)
{
    (void)context;
    struct call *call = http_request_user_data(request);
    size_t length;
    (void)http_request_body(request, &length);
    if (check_body_length(call, length)) /* chunked bodies announce none */
        call->route->handle(call);
}

static void refuse(void *context, struct http_request *request, unsigned status)
{
    static const struct {
        unsigned status;
        enum problem_code code;
    } codes[] = {{413, PROBLEM_BODY_TOO_LARGE},
                 {431, PROBLEM_HEADERS_TOO_LARGE},
                 {408, PROBLEM_REQUEST_TOO_SLOW},
                 {400, PROBLEM_REQUEST_INVALID}};
    struct call *call = http_request_user_data(request);
    if (call == NULL) /* `begin` was not reached */
        call = call_create(context, request);
    if (call == NULL) {
        reply_out_of_memory(request);
        return;
    }
    enum problem_code code = PROBLEM_REQUEST_INVALID;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].status == status)
            code = codes[i].code;
    call_refuse(call, &(struct problem){.code = code});
}

static void abandon(void *context, struct http_request *request)
{
    (void)context;
    struct call *call = http_request_user_data(request);
    call_refuse(call, &(struct problem){.code = PROBLEM_SHUTTING_DOWN,
                                        .detail = "The outcome was not known in time; "
                                                  "repeating the call is safe."});
}

static void finish(void *context, struct http_request *request)
{
    (void)context;
    struct call *call = http_request_user_data(request);
    if (call != NULL)
        call_end(call);
}

/* Nothing in the answers tells it: who is not let in waits, and is not answered. */
static void starve(void *context, bool is_starved)
{
    const struct front *front = context;
    const char *listener = front->metrics != NULL ? "api" : "ops";
    if (is_starved)
        log_error("accept_starved",
                  "No new connection can be accepted for want of file descriptors or memory; those "
                  "that are open are served. Raise the limit (ulimit -n) or lower MAX_CONNECTIONS",
                  LOG_TEXT("listener", listener));
    else
        log_info("accept_recovered", "New connections are accepted again",
                 LOG_TEXT("listener", listener));
}

void front_serve(struct front *front, struct http_server_options *options)
{
    options->context = front;
    options->begin = begin;
    options->handle = handle;
    options->refuse = refuse;
    options->abandon = abandon;
    options->starve = starve;
    options->finish = finish;
}
