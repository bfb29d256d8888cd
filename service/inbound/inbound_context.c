/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/inbound_context.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/percent.h"

#include "service/inbound/admission.h"
#include "service/inbound/call.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/origin.h"
#include "service/inbound/routes.h"
#include "service/inbound/service_view.h"

enum { QUIET_MS = 60000, WRONG_KEYS_MAX = 64 };

enum { PLAIN_ANSWER_HEAD_BYTES = 160 };

static void write_plain_answer(struct inbound_context *context)
{
    static const struct problem problem = {.code = PROBLEM_TLS_REQUIRED,
                                           .detail = "The request came as plain HTTP.",
                                           .remedy = "Use https:// in the URL."};
    char text[PLAIN_ANSWER_BYTES - PLAIN_ANSWER_HEAD_BYTES];
    struct buffer document;
    buffer_init_fixed(&document, text, sizeof text);
    bool is_written = problem_write(&document, &problem, NULL);
    assert(is_written);
    (void)snprintf(context->plain_answer, PLAIN_ANSWER_BYTES,
                   "HTTP/1.1 %u Bad Request\r\nContent-Type: application/problem+json\r\n"
                   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                   problem_kind(problem.code)->status, document.length, document.bytes);
    buffer_fini(&document);
}

void inbound_context_init(struct inbound_context *context)
{
    *context = (struct inbound_context){.routes = NULL};
    buffer_init(&context->scratch, ANSWER_BYTES_MAX);
    wrong_keys_init(&context->wrong_keys, WRONG_KEYS_MAX);
    write_plain_answer(context);
}

void inbound_context_fini(struct inbound_context *context)
{
    buffer_fini(&context->scratch);
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
        .fetch_mode = http_request_header(call->request, "Sec-Fetch-Mode"),
        .fetch_dest = http_request_header(call->request, "Sec-Fetch-Dest"),
        .is_local_and_keyless = call->context->is_local && access_is_open(&call->context->access),
    };
    static const struct problem foreign_host = {
        .code = PROBLEM_FORBIDDEN_ORIGIN,
        .detail = "The request names another host than this machine.",
        .remedy =
            "Call 127.0.0.1 or localhost. If a proxy is in front, let it send one of these in the "
            "Host header. If the proxy calls the API, you can set SEEK_SIGNAL_API_KEY instead.",
    };
    static const struct problem foreign_site = {
        .code = PROBLEM_FORBIDDEN_ORIGIN,
        .detail = "The request comes from a page of another site.",
        .remedy = "Use the page of this service, or a program instead of a browser.",
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
    assert(call->route != NULL);
    return call->route->body_bytes_max > 0 ? call->route->body_bytes_max
                                           : call->context->body_bytes_max;
}

static void refuse_body(struct call *call)
{
    size_t max = call->route != NULL ? body_bytes_max(call) : call->context->body_bytes_max;
    bool is_setting = max == call->context->body_bytes_max;
    char detail[112];
    (void)snprintf(detail, sizeof detail, "The limit is %zu bytes%s.", max,
                   is_setting ? " (SEEK_SIGNAL_MAX_BODY_BYTES)" : "");
    call_refuse(call, &(struct problem){.code = PROBLEM_BODY_TOO_LARGE, .detail = detail});
}

static bool check_body_length(struct call *call, unsigned long long length)
{
    if (length <= body_bytes_max(call))
        return true;
    refuse_body(call);
    return false;
}

static bool check_announced_length(struct call *call)
{
    const char *length = http_request_header(call->request, "Content-Length");
    return length == NULL || check_body_length(call, strtoull(length, NULL, 10));
}

/* A body without a coding is read, and no other: what would be decoded has no length beforehand. */
static bool check_encoding(struct call *call)
{
    const char *encoding = http_request_header(call->request, "Content-Encoding");
    const char *length = http_request_header(call->request, "Content-Length");
    bool has_body = http_request_header(call->request, "Transfer-Encoding") != NULL ||
                    (length != NULL && strtoull(length, NULL, 10) > 0);
    bool is_read = call->route->body_bytes_max != ROUTE_BODY_IGNORED;
    if (!is_read || !has_body || encoding == NULL || encoding[0] == '\0' ||
        strcasecmp(encoding, "identity") == 0)
        return true;
    call_refuse_with(call, &(struct problem){.code = PROBLEM_CONTENT_ENCODING_UNSUPPORTED},
                     (struct http_header){"Accept-Encoding", "identity"});
    return false;
}

/* What can be refused before the body is read is refused here; else `handle` goes on. */
static void begin(void *opaque, struct http_request *request)
{
    struct inbound_context *context = opaque;
    struct call *call = call_create(context, request);
    if (call == NULL) {
        reply_out_of_memory(request);
        return;
    }
    if (!check_origin(call))
        return;
    struct route_match match;
    switch (routes_find(context->routes, context->route_count, http_request_method(request),
                        http_request_path(request), &match)) {
    case ROUTE_FOUND:
        call->route = match.route;
        if (match.route->is_traced)
            call_trace(call);
        if (admission_check(call) && read_application_id(call, &match) && check_encoding(call))
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
        call_refuse(call, &(struct problem){.code = PROBLEM_NOT_FOUND});
        break;
    }
}

static void handle(void *opaque, struct http_request *request)
{
    (void)opaque;
    struct call *call = http_request_user_data(request);
    assert(call->route != NULL && !call->is_answered);
    size_t length;
    (void)http_request_body(request, &length);
    if (call->is_key_wrong)
        wrong_keys_delay(&call->context->wrong_keys, call, clock_monotonic_ms());
    else if (check_body_length(call, length)) /* chunked bodies announce none */
        call->route->handle(call);
}

void inbound_context_turn(struct inbound_context *context, int64_t now_ms)
{
    struct call *call;
    while ((call = wrong_keys_take_due(&context->wrong_keys, now_ms)) != NULL)
        admission_refuse_wrong_key(call);
}

int64_t inbound_context_timeout_ms(const struct inbound_context *context, int64_t now_ms)
{
    return wrong_keys_timeout_ms(&context->wrong_keys, now_ms);
}

static void refuse(void *opaque, struct http_request *request, unsigned status)
{
    struct call *call = http_request_user_data(request);
    if (call == NULL) /* `begin` was not reached */
        call = call_create(opaque, request);
    if (call == NULL) {
        reply_out_of_memory(request);
        return;
    }
    if (status == 503)
        call_refuse_bodies_full(call);
    else if (status == 413)
        refuse_body(call);
    else
        call_refuse(call, &(struct problem){.code = status == 431 ? PROBLEM_HEADERS_TOO_LARGE
                                                                  : PROBLEM_REQUEST_INVALID});
}

static void abandon(void *opaque, struct http_request *request)
{
    (void)opaque;
    struct call *call = http_request_user_data(request);
    wrong_keys_forget(&call->context->wrong_keys, call);
    call_refuse(call, &(struct problem){.code = PROBLEM_SHUTTING_DOWN,
                                        .detail = "The outcome was not known in time; "
                                                  "repeating the call is safe."});
}

static void finish(void *opaque, struct http_request *request)
{
    (void)opaque;
    struct call *call = http_request_user_data(request);
    if (call == NULL)
        return;
    wrong_keys_forget(&call->context->wrong_keys, call);
    call_end(call);
}

static enum inbound_listener listener_of(const struct inbound_context *context)
{
    return context->metrics != NULL ? LISTENER_API : LISTENER_OPS;
}

static const char *listener_name(const struct inbound_context *context)
{
    return listener_of(context) == LISTENER_API ? "api" : "ops";
}

static void note_full(struct inbound_context *context, struct metric *metrics, bool is_full)
{
    assert(context->is_full != is_full); /* told once for each change */
    context->is_full = is_full;
    if (metrics != NULL)
        metric_add(&metrics[INBOUND_FULL + listener_of(context)], is_full ? 1 : -1);
    if (is_full)
        log_warn("connections_full",
                 "The listener has reached its maximum number of connections. For each new one, "
                 "the connection that has been idle longest is closed. Close unused connections, "
                 "or raise MAX_CONNECTIONS",
                 LOG_TEXT("listener", listener_name(context)));
    else
        log_info("connections_free", "There is room for connections again",
                 LOG_TEXT("listener", listener_name(context)));
}

/* Told again only after a minute in which there was none. */
static void note_turned_away(struct inbound_context *context, struct metric *metrics,
                             const char *address)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_news =
        context->turned_away_at_ms == 0 || now_ms - context->turned_away_at_ms > QUIET_MS;
    context->turned_away_at_ms = now_ms;
    if (metrics != NULL)
        metric_add(&metrics[INBOUND_TURNED_AWAY], 1);
    if (is_news)
        log_warn(
            "connection_turned_away",
            "An address has as many connections as are allowed, and none of them is idle. Further "
            "ones are closed at once. Raise MAX_CONNECTIONS_PER_ADDRESS if this client needs more",
            LOG_TEXT("listener", listener_name(context)), LOG_TEXT("address", address));
}

/* Told again only after a minute in which there was none. */
static void note_plain(struct inbound_context *context, const char *address)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_news = context->plain_at_ms == 0 || now_ms - context->plain_at_ms > QUIET_MS;
    context->plain_at_ms = now_ms;
    if (is_news)
        log_warn("plain_http_refused",
                 "A caller speaks HTTP without TLS to the TLS listener and gets 400. Its URL must "
                 "begin with https://",
                 LOG_TEXT("listener", listener_name(context)), LOG_TEXT("address", address));
}

static void note(void *opaque, enum http_note note, const char *address)
{
    struct inbound_context *context = opaque;
    struct metric *metrics = context->view->inbound_metrics;
    switch (note) {
    case HTTP_NOTE_FULL:
    case HTTP_NOTE_ROOM:
        note_full(context, metrics, note == HTTP_NOTE_FULL);
        break;
    case HTTP_NOTE_EVICTED:
        if (metrics != NULL)
            metric_add(&metrics[INBOUND_EVICTED + listener_of(context)], 1);
        break;
    case HTTP_NOTE_ADDRESS_FULL:
        note_turned_away(context, metrics, address);
        break;
    case HTTP_NOTE_PLAIN:
        note_plain(context, address);
        break;
    }
}

/* Nothing in the answers tells it: who is not let in waits, and is not answered. */
static void starve(void *opaque, bool is_starved)
{
    const struct inbound_context *context = opaque;
    const char *listener = listener_name(context);
    if (is_starved)
        log_error(
            "accept_starved",
            "No new connection can be accepted, because file descriptors or memory are short. Open "
            "connections are served. Raise the limit (ulimit -n) or lower MAX_CONNECTIONS",
            LOG_TEXT("listener", listener));
    else
        log_info("accept_recovered", "New connections are accepted again",
                 LOG_TEXT("listener", listener));
}

void inbound_context_serve(struct inbound_context *context, struct http_server_options *options)
{
    assert(context->routes == NULL || context->route_count > 0);
    options->context = context;
    options->bodies = context->bodies;
    options->begin = begin;
    options->handle = handle;
    options->refuse = refuse;
    options->abandon = abandon;
    options->starve = starve;
    options->note = note;
    options->finish = finish;
}
