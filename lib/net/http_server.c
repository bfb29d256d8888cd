/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Two deadlines complete the idle time-out of libmicrohttpd, which starts again with every byte: a
 * connection has `idle_timeout_s` from its last answer to the next request line, and
 * `request_timeout_ms` from there to the end of the request. The latter also runs from the accept
 * to the first request line, which covers TLS handshakes. What is late is shut down, and
 * libmicrohttpd sees a hang-up.
 */
#include "lib/net/http_server.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/acceptor.h"
#include "lib/net/deadline_queue.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_daemon.h"
#include "lib/net/http_request.h"
#include "lib/net/lingering.h"

enum { STOP_WAIT_MS_MAX = 500, ACCEPT_TURNS_MAX = 256 };

struct http_connection {
    struct deadline deadline; /* first: found by a cast */
    int fd;                   /* borrowed from libmicrohttpd */
};

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon; /* owned; NULL once stopped */
    struct event_loop *loop;   /* owned; nests the daemon's epoll set and the sockets below */
    struct acceptor acceptor;
    struct lingering lingering;
    struct deadline_queue idle;     /* until the next request line */
    struct deadline_queue arriving; /* until the request is complete */
    struct http_request *suspended; /* list */
    size_t connections;
    size_t open_requests; /* the head is in, no answer yet */
    size_t undelivered;   /* answered, and the answer is still on its way out */
    bool has_resumed;     /* since the last turn began */
    bool is_turning;      /* a callback may be running */
    bool is_quiesced;
    bool is_stopping;
};

/* ---- connections ---- */

struct http_connection *http_server_connected(struct http_server *server, int fd)
{
    server->connections++;
    struct http_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->fd = fd;
    deadline_set(&connection->deadline, &server->arriving, clock_monotonic_ms());
    return connection;
}

void http_server_disconnected(struct http_server *server, struct http_connection *connection)
{
    server->connections--;
    if (connection == NULL)
        return;
    deadline_clear(&connection->deadline);
    free(connection);
}

static void shut_late(struct deadline_queue *queue, int64_t now_ms)
{
    struct deadline *due;
    while ((due = deadline_queue_take_due(queue, now_ms)) != NULL)
        (void)shutdown(((struct http_connection *)(void *)due)->fd, SHUT_RDWR);
}

/* ---- a request, from its first line to its end ---- */

static void suspend(struct http_request *request)
{
    struct http_server *server = request->server;
    request->is_suspended = true;
    request->next = server->suspended;
    if (server->suspended != NULL)
        server->suspended->previous = request;
    server->suspended = request;
}

static void resume(struct http_request *request)
{
    struct http_server *server = request->server;
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        server->suspended = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    request->previous = request->next = NULL;
    request->is_suspended = false;
    server->has_resumed = true;
    http_daemon_resume(request->handle);
}

/* `take_response` may be NULL: then the connection is closed without an answer. */
static void settle(struct http_request *request, struct MHD_Response *take_response,
                   unsigned status)
{
    struct http_server *server = request->server;
    http_request_move(request, HTTP_REQUEST_ANSWERED);
    server->open_requests--;
    server->undelivered++;
    request->response = take_response;
    request->status = status;
    if (request->is_suspended)
        resume(request);
}

void http_request_reply(struct http_request *request, const struct http_reply *reply)
{
    bool is_last = reply->is_last || request->server->is_quiesced;
    settle(request, http_daemon_create_response(reply, is_last), reply->status);
}

void http_request_fail(struct http_request *request, enum http_fault fault,
                       const struct http_reply *reply)
{
    int fd = request->connection->fd;
    switch (fault) {
    case HTTP_FAULT_RESET:
        http_daemon_reset(fd);
        settle(request, NULL, 0);
        break;
    case HTTP_FAULT_CLOSE:
        settle(request, NULL, 0);
        break;
    case HTTP_FAULT_CUT_BODY:
        settle(request, http_daemon_create_cut_response(reply, fd), reply->status);
        break;
    }
}

static void refuse(struct http_request *request, unsigned status)
{
    const struct http_server_options *options = &request->server->options;
    options->refuse(options->context, request, status);
    assert(request->state == HTTP_REQUEST_ANSWERED);
}

static void abandon(struct http_request *request)
{
    const struct http_server_options *options = &request->server->options;
    options->abandon(options->context, request);
    assert(request->state == HTTP_REQUEST_ANSWERED);
}

struct http_request *http_server_request_line(struct http_server *server,
                                              struct http_connection *connection,
                                              struct MHD_Connection *handle, const char *target)
{
    struct http_request *request = http_request_create(target, server->options.body_bytes_max);
    if (request == NULL)
        return NULL;
    request->server = server;
    request->connection = connection;
    request->handle = handle;
    deadline_set(&connection->deadline, &server->arriving, request->started_us / 1000);
    return request;
}

enum http_step http_server_head(struct http_request *request, const struct http_head *head,
                                const char *version, size_t head_bytes)
{
    struct http_server *server = request->server;
    const struct http_server_options *options = &server->options;
    server->open_requests++;
    unsigned refusal = http_request_judge_head(request, head, version, head_bytes, options);
    if (refusal != 0)
        refuse(request, refusal);
    else if (options->begin != NULL)
        options->begin(options->context, request);
    if (request->state != HTTP_REQUEST_ANSWERED)
        return HTTP_STEP_CONTINUE;
    /* A response at this point ends the connection: right when a body follows that nobody reads, or
     * when its length is in doubt, and a waste when the request is complete anyway. */
    if (refusal == 0 && !http_head_has_body(head))
        return HTTP_STEP_CONTINUE;
    request->is_early = true;
    return HTTP_STEP_RESPOND;
}

static void take_complete(struct http_request *request)
{
    const struct http_server_options *options = &request->server->options;
    if (request->refusal != 0) {
        refuse(request, request->refusal);
        return;
    }
    http_request_move(request, HTTP_REQUEST_HANDLED);
    if (request->server->is_stopping)
        abandon(request);
    else
        options->handle(options->context, request);
}

enum http_step http_server_end_of_request(struct http_request *request)
{
    deadline_clear(&request->connection->deadline);
    if (request->state == HTTP_REQUEST_ARRIVING)
        take_complete(request);
    if (request->state == HTTP_REQUEST_ANSWERED)
        return HTTP_STEP_RESPOND;
    suspend(request);
    return HTTP_STEP_SUSPEND;
}

void http_server_request_over(struct http_request *request, bool is_sent)
{
    struct http_server *server = request->server;
    struct http_connection *connection = request->connection;
    if (request->state == HTTP_REQUEST_ANSWERED)
        server->undelivered--;
    else if (request->method != NULL)
        server->open_requests--;
    if (request->method != NULL && server->options.finish != NULL)
        server->options.finish(server->options.context, request);
    int64_t now_ms = clock_monotonic_ms();
    if (request->is_early && is_sent)
        lingering_add_copy(&server->lingering, connection->fd, now_ms); /* the daemon closes its */
    http_daemon_destroy_response(STEAL(request->response));
    http_request_destroy(request);
    deadline_set(&connection->deadline, &server->idle, now_ms);
}

/* ---- the server ---- */

static void ignore_event(void *context, unsigned events)
{
    (void)context;
    (void)events; /* each turn runs the daemon anyway */
}

static bool start(struct http_server *server, struct error *error)
{
    server->loop = event_loop_create(error);
    if (server->loop == NULL)
        return false;
    lingering_init(&server->lingering, server->loop);
    server->daemon = http_daemon_start(server, &server->options, error);
    server->acceptor.options = (struct acceptor_options){.loop = server->loop,
                                                         .take = http_daemon_add,
                                                         .take_context = server->daemon,
                                                         .starve = server->options.starve,
                                                         .starve_context = server->options.context};
    return server->daemon != NULL &&
           event_loop_watch(server->loop, http_daemon_fd(server->daemon), EVENT_READ, ignore_event,
                            NULL, error) &&
           acceptor_watch(&server->acceptor, true, error);
}

struct http_server *http_server_create(const struct http_server_options *options,
                                       struct error *error)
{
    assert(options->handle != NULL && options->refuse != NULL && options->abandon != NULL);
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        (void)close(options->listen_fd);
        (void)error_out_of_memory(error);
        return NULL;
    }
    server->options = *options;
    acceptor_init(&server->acceptor, options->listen_fd);
    server->arriving.duration_ms = options->request_timeout_ms;
    server->idle.duration_ms = 1000 * (int64_t)options->idle_timeout_s;
    if (start(server, error))
        return server;
    http_server_destroy(server);
    return NULL;
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    http_server_stop(server);
    acceptor_close(&server->acceptor);
    if (server->loop != NULL)
        lingering_fini(&server->lingering);
    event_loop_destroy(server->loop);
    free(server);
}

int http_server_fd(const struct http_server *server)
{
    return event_loop_fd(server->loop);
}

int64_t http_server_timeout_ms(const struct http_server *server)
{
    if (server->has_resumed)
        return 0;
    int64_t wait_ms = server->daemon != NULL ? http_daemon_wait_ms(server->daemon) : -1;
    int64_t now_ms = clock_monotonic_ms();
    wait_ms = deadline_sooner_ms(wait_ms, deadline_queue_wait_ms(&server->arriving, now_ms));
    wait_ms = deadline_sooner_ms(wait_ms, deadline_queue_wait_ms(&server->idle, now_ms));
    wait_ms = deadline_sooner_ms(wait_ms, acceptor_wait_ms(&server->acceptor, now_ms));
    return deadline_sooner_ms(wait_ms,
                              deadline_queue_wait_ms(&server->lingering.deadlines, now_ms));
}

static void run_daemon(struct http_server *server, int64_t now_ms)
{
    assert(!server->is_turning); /* a callback of ours is the caller */
    struct error error;
    server->is_turning = true;
    server->has_resumed = false;
    if (!event_loop_poll(server->loop, 0, &error))
        log_debug("http_server", error.message);
    acceptor_turn(&server->acceptor, server->options.connections_max - server->connections, now_ms);
    http_daemon_run(server->daemon);
    server->is_turning = false;
}

void http_server_turn(struct http_server *server)
{
    if (server->daemon == NULL)
        return;
    int64_t now_ms = clock_monotonic_ms();
    shut_late(&server->arriving, now_ms);
    shut_late(&server->idle, now_ms);
    lingering_expire(&server->lingering, now_ms);
    run_daemon(server, now_ms);
    bool has_room = server->connections < server->options.connections_max;
    struct error error;
    if (!acceptor_watch(&server->acceptor, has_room, &error))
        log_debug("http_server", error.message); /* tried again in the next turn */
}

/* Closing a listening socket resets the connections that wait in its queue: they are let in first.
 */
static void accept_waiting(struct http_server *server)
{
    struct pollfd listener = {.fd = server->acceptor.fd, .events = POLLIN};
    for (int i = 0; i < ACCEPT_TURNS_MAX && poll(&listener, 1, 0) > 0; i++)
        run_daemon(server, clock_monotonic_ms());
}

void http_server_quiesce(struct http_server *server)
{
    if (server->daemon == NULL || server->is_quiesced)
        return;
    assert(!server->is_turning);
    accept_waiting(server);
    server->is_quiesced = true;
    acceptor_close(&server->acceptor);
}

size_t http_server_open_requests(const struct http_server *server)
{
    return server->open_requests;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections;
}

static void deliver_all(struct http_server *server)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t until_ms = now_ms + STOP_WAIT_MS_MAX;
    while (server->undelivered > 0 && now_ms < until_ms) {
        struct pollfd work = {.fd = http_server_fd(server), .events = POLLIN};
        (void)poll(&work, 1,
                   (int)deadline_sooner_ms(http_server_timeout_ms(server), until_ms - now_ms));
        http_server_turn(server);
        now_ms = clock_monotonic_ms();
    }
}

void http_server_stop(struct http_server *server)
{
    if (server->daemon == NULL)
        return;
    assert(!server->is_turning);
    server->is_stopping = true;
    http_server_quiesce(server);
    while (server->suspended != NULL)
        abandon(server->suspended);
    http_server_turn(server); /* what has arrived meanwhile is answered too */
    deliver_all(server);
    server->is_turning = true; /* ends what is left, through http_server_request_over */
    http_daemon_stop(STEAL(server->daemon));
    server->is_turning = false;
}
