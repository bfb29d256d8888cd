/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_events.h"

#include <assert.h>

#include "lib/base/clock.h"
#include "lib/base/ownership.h"
#include "lib/net/tls_server.h"

static struct http_connection *connected(void *context, int fd, const struct sockaddr *peer,
                                         void *tls_session)
{
    struct http_events *events = context;
    struct http_connection *connection =
        http_connections_add(events->connections, fd, peer, clock_monotonic_ms());
    if (connection == NULL || events->options->tls == NULL)
        return connection;
    connection->identity = tls_server_equip(events->options->tls, tls_session);
    if (connection->identity != NULL)
        return connection;
    events->connections->count++; /* until `disconnected`, as for one without memory */
    http_connections_remove(events->connections, connection);
    return NULL;
}

static void refuse(struct http_events *events, struct http_request *request, unsigned status)
{
    events->options->refuse(events->options->context, request, status);
    assert(request->state == HTTP_REQUEST_ANSWERED);
}

void http_events_abandon(struct http_events *events, struct http_request *request)
{
    events->options->abandon(events->options->context, request);
    assert(request->state == HTTP_REQUEST_ANSWERED);
}

static void discount(struct http_requests *requests, const struct http_request *request)
{
    if (request->state == HTTP_REQUEST_ANSWERED) {
        assert(requests->undelivered > 0);
        requests->undelivered--;
    } else if (request->method != NULL) {
        assert(requests->open > 0);
        requests->open--;
    }
}

static void over(void *context, struct http_request *request, bool is_sent)
{
    struct http_events *events = context;
    struct http_connection *connection = request->connection;
    assert(connection->request == request && !request->is_suspended);
    connection->request = NULL;
    discount(events->requests, request);
    if (request->method != NULL && events->options->finish != NULL)
        events->options->finish(events->options->context, request);
    int64_t now_ms = clock_monotonic_ms();
    if (request->is_early && is_sent)
        lingering_add_copy(events->lingering, connection->fd, now_ms); /* the daemon closes its */
    http_daemon_destroy_response(STEAL(request->response));
    http_request_destroy(request);
    http_connections_move(events->connections, connection, HTTP_IDLE, now_ms);
}

static void disconnected(void *context, struct http_connection *connection)
{
    struct http_events *events = context;
    if (connection != NULL && connection->request != NULL)
        over(events, connection->request, false);
    http_connections_remove(events->connections, connection);
}

static struct http_request *request_line(void *context, struct http_connection *connection,
                                         struct MHD_Connection *handle, const char *target)
{
    struct http_events *events = context;
    struct http_request *request = http_request_create(target, events->options);
    if (request == NULL)
        return NULL;
    if (connection->request != NULL)
        over(events, connection->request, false);
    assert(connection->request == NULL);
    connection->request = request;
    request->requests = events->requests;
    request->connection = connection;
    request->handle = handle;
    http_connections_move(events->connections, connection, HTTP_ARRIVING,
                          request->started_us / 1000);
    http_connections_feed(events->connections, connection);
    return request;
}

static enum http_step take_head(void *context, struct http_request *request,
                                const struct http_head *head, const char *version,
                                size_t head_bytes)
{
    struct http_events *events = context;
    const struct http_server_options *options = events->options;
    assert(request->state == HTTP_REQUEST_ARRIVING);
    events->requests->open++;
    unsigned refusal = http_request_judge_head(request, head, version, head_bytes, options);
    /* A response at this point ends the connection: right when a body follows that nobody reads, or
     * when its length is in doubt, and a waste when the request is complete anyway. */
    bool is_early = refusal != 0 || http_head_has_body(head);
    request->is_last = head->is_last || is_early;
    if (refusal != 0)
        refuse(events, request, refusal);
    else if (options->begin != NULL)
        options->begin(options->context, request);
    if (request->state != HTTP_REQUEST_ANSWERED)
        request->is_last = head->is_last;
    if (request->state != HTTP_REQUEST_ANSWERED || !is_early)
        return HTTP_STEP_CONTINUE;
    request->is_early = true;
    return HTTP_STEP_RESPOND;
}

static bool take_body(void *context, struct http_request *request, const char *bytes, size_t length)
{
    struct http_events *events = context;
    http_connections_feed(events->connections, request->connection);
    return http_request_take_body(request, bytes, length);
}

static void take_complete(struct http_events *events, struct http_request *request)
{
    assert(request->state == HTTP_REQUEST_ARRIVING);
    if (request->refusal != 0) {
        refuse(events, request, request->refusal);
        return;
    }
    http_request_move(request, HTTP_REQUEST_HANDLED);
    if (events->is_stopping)
        http_events_abandon(events, request);
    else
        events->options->handle(events->options->context, request);
}

static enum http_step complete(void *context, struct http_request *request)
{
    struct http_events *events = context;
    if (request->state == HTTP_REQUEST_ARRIVING)
        take_complete(events, request);
    bool is_answered = request->state == HTTP_REQUEST_ANSWERED;
    http_connections_move(events->connections, request->connection,
                          is_answered ? HTTP_LEAVING : HTTP_HANDLED, clock_monotonic_ms());
    if (is_answered)
        return HTTP_STEP_RESPOND;
    assert(request->state == HTTP_REQUEST_HANDLED);
    http_request_suspend(request);
    return HTTP_STEP_SUSPEND;
}

struct http_daemon_events http_events_table(struct http_events *events)
{
    return (struct http_daemon_events){.context = events,
                                       .connected = connected,
                                       .disconnected = disconnected,
                                       .request_line = request_line,
                                       .head = take_head,
                                       .body = take_body,
                                       .complete = complete,
                                       .over = over};
}
