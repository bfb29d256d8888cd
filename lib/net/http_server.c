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
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/acceptor.h"
#include "lib/net/event_loop.h"
#include "lib/net/http_arrivals.h"
#include "lib/net/http_connections.h"
#include "lib/net/http_daemon.h"
#include "lib/net/http_events.h"
#include "lib/net/http_request.h"
#include "lib/net/lingering.h"

enum { STOP_WAIT_MS_MAX = 500, ACCEPT_TURNS_MAX = 256 };

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon; /* owned; NULL once stopped */
    struct http_events handlers;
    struct http_daemon_events events; /* of them */
    struct event_loop *loop; /* owned; nests the daemon's epoll set and the sockets below */
    struct acceptor acceptor;
    struct lingering lingering;
    struct http_arrivals arrivals;
    struct http_connections connections;
    struct http_requests requests;
    bool is_turning; /* a callback may be running */
};

static void report(const struct http_server *server, enum http_note note)
{
    if (server->options.note != NULL)
        server->options.note(server->options.context, note, "");
}

static void report_peer(const struct http_server *server, enum http_note note,
                        const struct sockaddr *peer)
{
    char address[HTTP_ADDRESS_TEXT_BYTES];
    assert(peer != NULL);
    http_address_write(peer, address);
    if (server->options.note != NULL)
        server->options.note(server->options.context, note, address);
}

static void take_tls(void *context, int take_fd, const struct sockaddr *peer, socklen_t peer_length)
{
    struct http_server *server = context;
    http_daemon_add(server->daemon, take_fd, peer, peer_length);
}

static void note_plain(void *context, const struct sockaddr *peer)
{
    report_peer(context, HTTP_NOTE_PLAIN, peer);
}

static void take_connection(void *context, int take_fd, const struct sockaddr *peer,
                            socklen_t peer_length)
{
    struct http_server *server = context;
    if (http_connections_admit(&server->connections, peer)) {
        if (server->options.plain_answer != NULL)
            http_arrivals_add(&server->arrivals, take_fd, peer, peer_length);
        else
            http_daemon_add(server->daemon, take_fd, peer, peer_length);
        return;
    }
    (void)close(take_fd);
    report_peer(server, HTTP_NOTE_ADDRESS_FULL, peer);
}

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
    server->arrivals = (struct http_arrivals){.loop = server->loop,
                                              .connections = &server->connections,
                                              .lingering = &server->lingering,
                                              .plain_answer = server->options.plain_answer,
                                              .take_tls = take_tls,
                                              .note_plain = note_plain,
                                              .context = server};
    server->handlers = (struct http_events){.options = &server->options,
                                            .connections = &server->connections,
                                            .lingering = &server->lingering,
                                            .requests = &server->requests};
    server->events = http_events_table(&server->handlers);
    server->daemon = http_daemon_start(&server->events, &server->options, error);
    server->acceptor.options = (struct acceptor_options){.loop = server->loop,
                                                         .take = take_connection,
                                                         .take_context = server,
                                                         .starve = server->options.starve,
                                                         .starve_context = server->options.context};
    return server->daemon != NULL &&
           event_loop_watch(server->loop, http_daemon_fd(server->daemon), EVENT_READ, ignore_event,
                            NULL, error) &&
           acceptor_watch(&server->acceptor, true, error);
}

/* A second less than the truth, so that a request that leaves at the announced end still arrives.
 */
static void write_keep_alive(struct http_requests *requests, unsigned idle_timeout_s)
{
    unsigned announced_s = idle_timeout_s > 1 ? idle_timeout_s - 1 : 1;
    (void)snprintf(requests->keep_alive, sizeof requests->keep_alive, "timeout=%u", announced_s);
}

struct http_server *http_server_create(const struct http_server_options *options,
                                       struct error *error)
{
    assert(options->handle != NULL && options->refuse != NULL && options->abandon != NULL);
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        struct listener listener = options->listener;
        listener_close(&listener);
        (void)error_out_of_memory(error);
        return NULL;
    }
    server->options = *options;
    write_keep_alive(&server->requests, options->idle_timeout_s);
    acceptor_init(&server->acceptor, &options->listener);
    http_connections_init(&server->connections, options->connections_max,
                          options->connections_per_address_max, options->request_timeout_ms,
                          1000 * (int64_t)options->idle_timeout_s);
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
    http_arrivals_end(&server->arrivals);
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
    if (server->requests.has_resumed)
        return 0;
    int64_t wait_ms = server->daemon != NULL ? http_daemon_wait_ms(server->daemon) : -1;
    int64_t now_ms = clock_monotonic_ms();
    wait_ms = clock_sooner_ms(wait_ms, http_connections_wait_ms(&server->connections, now_ms));
    /* Who waits while nobody listens is looked after by the clock alone. */
    if (!server->acceptor.has_room)
        wait_ms =
            clock_sooner_ms(wait_ms, http_connections_room_wait_ms(&server->connections, now_ms));
    wait_ms = clock_sooner_ms(wait_ms, acceptor_wait_ms(&server->acceptor, now_ms));
    return clock_sooner_ms(wait_ms, deadline_queue_wait_ms(&server->lingering.deadlines, now_ms));
}

/* Who has to go is seen to have gone by the daemon, and his place is taken in the next turn. */
static void let_in(struct http_server *server, int64_t now_ms)
{
    assert(server->connections.count <= server->connections.max);
    size_t room = server->connections.max - server->connections.count;
    if (room == 0 && server->acceptor.is_ready &&
        http_connections_make_room(&server->connections, now_ms))
        report(server, HTTP_NOTE_EVICTED);
    acceptor_turn(&server->acceptor, room, now_ms);
}

static void run_daemon(struct http_server *server, int64_t now_ms)
{
    assert(!server->is_turning); /* a callback of ours is the caller */
    server->is_turning = true;
    server->requests.has_resumed = false;
    event_loop_poll(server->loop, 0);
    let_in(server, now_ms);
    http_daemon_run(server->daemon);
    http_connections_acknowledge(&server->connections);
    if (http_connections_note(&server->connections))
        report(server, server->connections.is_full ? HTTP_NOTE_FULL : HTTP_NOTE_ROOM);
    server->is_turning = false;
}

void http_server_turn(struct http_server *server)
{
    if (server->daemon == NULL)
        return;
    int64_t now_ms = clock_monotonic_ms();
    http_connections_shut_late(&server->connections, now_ms);
    lingering_expire(&server->lingering, now_ms);
    run_daemon(server, now_ms);
    bool has_room = http_connections_room_wait_ms(&server->connections, now_ms) == 0;
    struct error error;
    if (!acceptor_watch(&server->acceptor, has_room, &error))
        log_debug("http_server", error.message); /* tried again in the next turn */
}

/* Closing a listening socket resets the connections that wait in its queue: they are let in first.
 */
static void accept_waiting(struct http_server *server)
{
    struct pollfd sockets[LISTENER_SOCKETS_MAX];
    nfds_t count = server->acceptor.listener.count;
    assert(count <= LISTENER_SOCKETS_MAX);
    for (nfds_t i = 0; i < count; i++)
        sockets[i] = (struct pollfd){.fd = server->acceptor.listener.fds[i], .events = POLLIN};
    for (int i = 0; i < ACCEPT_TURNS_MAX && poll(sockets, count, 0) > 0; i++)
        run_daemon(server, clock_monotonic_ms());
}

void http_server_quiesce(struct http_server *server)
{
    if (server->daemon == NULL || server->requests.is_quiesced)
        return;
    assert(!server->is_turning);
    accept_waiting(server);
    server->requests.is_quiesced = true;
    acceptor_close(&server->acceptor);
}

size_t http_server_open_requests(const struct http_server *server)
{
    return server->requests.open;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections.count;
}

static void deliver_all(struct http_server *server)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t until_ms = now_ms + STOP_WAIT_MS_MAX;
    while (server->requests.undelivered > 0 && now_ms < until_ms) {
        struct pollfd work = {.fd = http_server_fd(server), .events = POLLIN};
        (void)poll(&work, 1,
                   (int)clock_sooner_ms(http_server_timeout_ms(server), until_ms - now_ms));
        http_server_turn(server);
        now_ms = clock_monotonic_ms();
    }
}

void http_server_stop(struct http_server *server)
{
    if (server->daemon == NULL)
        return;
    assert(!server->is_turning);
    server->handlers.is_stopping = true;
    http_server_quiesce(server);
    while (server->requests.suspended != NULL)
        http_events_abandon(&server->handlers, server->requests.suspended);
    http_server_turn(server); /* what has arrived meanwhile is answered too */
    deliver_all(server);
    http_arrivals_end(&server->arrivals);
    server->is_turning = true; /* ends what is left, through `over` */
    http_daemon_stop(STEAL(server->daemon));
    server->is_turning = false;
    assert(server->requests.open == 0 && server->requests.undelivered == 0);
    assert(server->requests.suspended == NULL);
}
