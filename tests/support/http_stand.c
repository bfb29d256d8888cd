/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/http_stand.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/http_fault.h"
#include "lib/net/listener.h"

#include "tests/support/specification.h"

const struct http_reply http_stand_cut_reply = {
    .status = 200, .content_type = "text/plain", .body = "0123456789", .body_length = 10};

const char *http_stand_big_body(void)
{
    static char body[STAND_BIG_BYTES];
    if (body[0] != 'z')
        memset(body, 'z', sizeof body);
    return body;
}

/* ---- what it does ---- */

static void reply_text(struct http_request *request, unsigned status, const char *text)
{
    const struct http_reply reply = {
        .status = status, .content_type = "text/plain", .body = text, .body_length = strlen(text)};
    http_request_reply(request, &reply);
}

static const char *shown(const char *text)
{
    return text != NULL ? text : "NULL";
}

static void echo(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    char text[4096];
    size_t length;
    const char *body = http_request_body(request, &length);
    assert_int_equal(body[length], '\0');
    (void)snprintf(text, sizeof text, "%s %s a=%s b=%s X-Custom=%s %zu:%s",
                   http_request_method(request), http_request_path(request),
                   shown(http_request_query(request, "a")), shown(http_request_query(request, "b")),
                   shown(http_request_header(request, "X-cUSTOM")), length, body);
    reply_text(request, 200, text);
    memset(text, 'x', sizeof text); /* what was to be copied is copied */
}

static void hold(struct http_stand *stand, struct http_request *request)
{
    assert_true(stand->held_count < STAND_HELD_MAX);
    stand->held[stand->held_count++] = request;
}

static void release(struct http_stand *stand, struct http_request *request)
{
    http_stand_answer_all(stand, 202);
    echo(stand, request);
}

static void reply_big(struct http_request *request, bool is_static)
{
    const struct http_reply reply = {.status = 200,
                                     .content_type = "application/octet-stream",
                                     .body = http_stand_big_body(),
                                     .body_length = STAND_BIG_BYTES,
                                     .is_body_static = is_static};
    http_request_reply(request, &reply);
}

static void reply_big_copy(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    reply_big(request, false);
}

static void reply_big_static(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    reply_big(request, true);
}

static void reply_with_header(struct http_request *request, const char *value)
{
    char copied[32];
    (void)snprintf(copied, sizeof copied, "%s", value);
    const struct http_reply reply = {
        .status = 204, .headers = {{"Retry-After", "7"}, {"X-Copied", copied}}, .is_last = true};
    http_request_reply(request, &reply);
    memset(copied, 'x', sizeof copied);
}

static void reply_with_headers(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    reply_with_header(request, "as it was");
}

static void reply_with_injection(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    reply_with_header(request, "a\r\nb: c");
}

static void fail_by_reset(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    http_request_fail(request, HTTP_FAULT_RESET, NULL);
}

static void fail_by_close(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    http_request_fail(request, HTTP_FAULT_CLOSE, NULL);
}

static void fail_by_cut(struct http_stand *stand, struct http_request *request)
{
    (void)stand;
    http_request_fail(request, HTTP_FAULT_CUT_BODY, &http_stand_cut_reply);
}

static const struct {
    const char *path;
    void (*act)(struct http_stand *stand, struct http_request *request);
} behaviours[] = {
    {"/hold", hold},
    {"/release", release},
    {"/big", reply_big_copy},
    {"/static", reply_big_static},
    {"/headers", reply_with_headers},
    {"/injection", reply_with_injection},
    {"/fail/reset", fail_by_reset},
    {"/fail/close", fail_by_close},
    {"/fail/cut", fail_by_cut},
};

static void begin(void *context, struct http_request *request)
{
    struct http_stand *stand = context;
    stand->begun++;
    http_request_set_user_data(request, stand);
    if (strcmp(http_request_path(request), "/forbidden") == 0)
        reply_text(request, 401, "who are you?");
}

static void handle(void *context, struct http_request *request)
{
    struct http_stand *stand = context;
    stand->handled++;
    assert_ptr_equal(http_request_user_data(request), stand);
    assert_in_range(clock_monotonic_us() - http_request_started_us(request), 0, 60000000);
    for (size_t i = 0; i < sizeof behaviours / sizeof *behaviours; i++) {
        if (strcmp(http_request_path(request), behaviours[i].path) == 0) {
            behaviours[i].act(stand, request);
            return;
        }
    }
    echo(stand, request);
}

static void refuse(void *context, struct http_request *request, unsigned status)
{
    struct http_stand *stand = context;
    stand->refused++;
    stand->last_refusal = status;
    reply_text(request, status, "refused");
}

static void abandon(void *context, struct http_request *request)
{
    struct http_stand *stand = context;
    stand->abandoned++;
    stand->held_count = 0;
    reply_text(request, 503, "stopping");
}

static void finish(void *context, struct http_request *request)
{
    struct http_stand *stand = context;
    (void)request;
    stand->finished++;
}

static void note(void *context, enum http_note note, const char *address)
{
    struct http_stand *stand = context;
    (void)address;
    stand->notes[note]++;
}

void http_stand_answer_all(struct http_stand *stand, unsigned status)
{
    for (size_t i = 0; i < stand->held_count; i++)
        reply_text(stand->held[i], status, "at last");
    stand->held_count = 0;
}

/* ---- its turns ---- */

void http_stand_serve(void *context)
{
    const struct http_stand *stand = context;
    int64_t wait_ms = http_server_timeout_ms(stand->server);
    struct pollfd readable = {.fd = http_server_fd(stand->server), .events = POLLIN};
    (void)poll(&readable, 1, wait_ms < 0 || wait_ms > 5 ? 5 : (int)wait_ms);
    http_server_turn(stand->server);
}

void http_stand_serve_for(struct http_stand *stand, int64_t duration_ms)
{
    int64_t until_ms = clock_monotonic_ms() + duration_ms;
    do
        http_stand_serve(stand);
    while (clock_monotonic_ms() < until_ms);
}

void http_stand_serve_until(struct http_stand *stand, const unsigned *counter, unsigned value)
{
    int64_t until_ms = clock_monotonic_ms() + RAW_WAIT_MS_MAX;
    while (*counter < value) {
        http_stand_serve(stand);
        if (clock_monotonic_ms() > until_ms)
            fail_msg("%u instead of %u", *counter, value);
    }
}

void http_stand_serve_until_connections(struct http_stand *stand, size_t count)
{
    int64_t until_ms = clock_monotonic_ms() + RAW_WAIT_MS_MAX;
    while (http_server_connections(stand->server) != count) {
        http_stand_serve(stand);
        if (clock_monotonic_ms() > until_ms)
            fail_msg("%zu connections", http_server_connections(stand->server));
    }
}

/* ---- its life ---- */

struct http_server_options http_stand_options(void)
{
    return (struct http_server_options){.body_bytes_max = STAND_BODY_BYTES_MAX,
                                        .header_bytes_max = STAND_HEAD_BYTES_MAX,
                                        .connections_max = 500,
                                        .idle_timeout_s = 60,
                                        .request_timeout_ms = 60000,
                                        .begin = begin,
                                        .handle = handle,
                                        .refuse = refuse,
                                        .abandon = abandon,
                                        .note = note,
                                        .finish = finish};
}

struct http_stand *http_stand_open_at(const char *where, struct http_server_options options)
{
    struct http_stand *stand = calloc(1, sizeof *stand);
    struct listen_address address;
    struct error error = {.message = ""};
    assert_non_null(stand);
    assert_true(listen_address_parse(where, &address, &error));
    if (!listener_open(&address, false, &options.listener, &error))
        fail_msg("%s", error.message);
    stand->port = listener_port(&options.listener);
    options.context = stand;
    stand->server = http_server_create(&options, &error);
    if (stand->server == NULL)
        fail_msg("%s", error.message);
    return stand;
}

struct http_stand *http_stand_open_with(struct http_server_options options)
{
    return http_stand_open_at("127.0.0.1:0", options);
}

struct http_stand *http_stand_open(void)
{
    return http_stand_open_with(http_stand_options());
}

struct http_stand *http_stand_open_impatient(void)
{
    struct http_server_options options = http_stand_options();
    options.request_timeout_ms = 150;
    options.idle_timeout_s = 3;
    return http_stand_open_with(options);
}

void http_stand_close(struct http_stand *stand)
{
    http_server_stop(stand->server);
    assert_int_equal(http_server_open_requests(stand->server), 0);
    assert_int_equal(http_server_connections(stand->server), 0);
    http_server_destroy(stand->server);
    free(stand);
}

struct raw_client *http_stand_connect(struct http_stand *stand)
{
    return raw_client_open(stand->port, http_stand_serve, stand);
}

void http_stand_end(struct raw_client *client, struct http_stand *stand)
{
    raw_client_destroy(client);
    http_stand_close(stand);
}

void must_contain(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text, part);
}

void must_end_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    if (length < strlen(end) || strcmp(text + length - strlen(end), end) != 0)
        fail_msg("\"%s\" does not end with \"%s\"", text, end);
}
