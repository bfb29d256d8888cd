/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/http2_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/ownership.h"
#include "lib/net/lingering.h"

#include "service/sandbox/http2_session.h"
#include "service/sandbox/http2_tls.h"

enum { CONNECTIONS_MAX = 4096, READ_BYTES = 16 * 1024 };

struct http2_connection {
    TAILQ_ENTRY(http2_connection) links;
    struct http2_server *server;
    int fd;
    struct http2_tls_session *tls; /* owned */
    struct http2_session *session; /* owned */
    const char *unsent;            /* the session's */
    size_t unsent_length;
    bool waits_to_write;
    bool is_gone; /* the peer is, or it made a mistake */
};

struct http2_server {
    struct event_loop *loop;
    struct state *state;
    struct http2_tls *tls;    /* owned */
    struct listener listener; /* owned */
    TAILQ_HEAD(, http2_connection) connections;
    size_t count;
    struct lingering lingering;
};

static void take_bytes(struct http2_connection *connection)
{
    char bytes[READ_BYTES];
    size_t length = 0;
    enum stream_status status;
    while ((status = http2_tls_read(connection->tls, bytes, sizeof bytes, &length)) == STREAM_DONE)
        if (!http2_session_take(connection->session, bytes, length)) {
            connection->is_gone = true;
            return;
        }
    connection->is_gone = status != STREAM_AGAIN;
}

static void note(void *context, unsigned events)
{
    struct http2_connection *connection = context;
    if ((events & EVENT_READ) != 0 && !connection->is_gone)
        take_bytes(connection);
    /* A place to write is used by the turn that follows. */
}

static bool has_unsent(struct http2_connection *connection)
{
    if (connection->unsent_length == 0)
        connection->unsent_length = http2_session_give(connection->session, &connection->unsent);
    return connection->unsent_length > 0;
}

static void send_bytes(struct http2_connection *connection)
{
    enum stream_status status = STREAM_DONE;
    while (status == STREAM_DONE && has_unsent(connection)) {
        size_t length = 0;
        status = http2_tls_write(connection->tls, connection->unsent, connection->unsent_length,
                                 &length);
        if (status != STREAM_DONE)
            break;
        connection->unsent += length;
        connection->unsent_length -= length;
    }
    connection->is_gone = connection->is_gone || (status != STREAM_DONE && status != STREAM_AGAIN);
    bool waits = status == STREAM_AGAIN;
    if (waits == connection->waits_to_write || connection->is_gone)
        return;
    connection->waits_to_write = waits;
    connection->is_gone =
        !event_loop_watch(connection->server->loop, connection->fd,
                          waits ? EVENT_READ | EVENT_WRITE : EVENT_READ, note, connection, NULL);
}

/* A peer that still sends gets a good-bye, since a RST would destroy the answers on their way. */
static void end_socket(struct http2_server *server, int take_fd, enum http2_end end)
{
    event_loop_forget(server->loop, take_fd);
    if (end == HTTP2_CLOSED && shutdown(take_fd, SHUT_WR) == 0)
        lingering_add(&server->lingering, take_fd, clock_monotonic_ms());
    else
        (void)close(take_fd);
}

/* HTTP2_OPEN: the peer is gone, or a mistake is the end. */
static void connection_destroy(struct http2_connection *connection, enum http2_end end)
{
    const struct linger now = {.l_onoff = 1};
    struct http2_server *server = connection->server;
    TAILQ_REMOVE(&server->connections, connection, links);
    server->count--;
    http2_session_destroy(connection->session);
    if (end == HTTP2_RESET) /* RST; without it the close says good-bye */
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    http2_tls_end(connection->tls);
    end_socket(server, connection->fd, end);
    free(connection);
}

static bool is_over(const struct http2_connection *connection, enum http2_end *out_end)
{
    enum http2_end end = http2_session_end(connection->session);
    *out_end = connection->is_gone && end != HTTP2_RESET ? HTTP2_OPEN : end;
    return connection->is_gone || end == HTTP2_RESET ||
           (end == HTTP2_CLOSED && connection->unsent_length == 0);
}

static void add_connection(struct http2_server *server, int take_fd)
{
    const int on = 1;
    struct http2_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        (void)close(take_fd);
        return;
    }
    (void)setsockopt(take_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection->server = server;
    connection->fd = take_fd;
    TAILQ_INSERT_TAIL(&server->connections, connection, links);
    server->count++;
    connection->tls = http2_tls_accept(server->tls, take_fd);
    connection->session = http2_session_create(server->state);
    if (connection->tls == NULL || connection->session == NULL ||
        !event_loop_watch(server->loop, take_fd, EVENT_READ, note, connection, NULL))
        connection_destroy(connection, HTTP2_OPEN);
}

static void accept_all(struct http2_server *server, int listening_fd)
{
    int fd;
    while (server->count < CONNECTIONS_MAX &&
           (fd = accept4(listening_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        add_connection(server, fd);
}

static void note_arrival(void *context, unsigned events)
{
    struct http2_server *server = context;
    (void)events;
    for (size_t i = 0; i < server->listener.count; i++)
        accept_all(server, server->listener.fds[i]);
}

void http2_server_turn(struct http2_server *server)
{
    struct http2_connection *connection = TAILQ_FIRST(&server->connections);
    lingering_expire(&server->lingering, clock_monotonic_ms());
    while (connection != NULL) {
        struct http2_connection *next = TAILQ_NEXT(connection, links);
        enum http2_end end;
        if (!connection->is_gone && http2_session_end(connection->session) != HTTP2_RESET)
            send_bytes(connection);
        if (is_over(connection, &end))
            connection_destroy(connection, end);
        connection = next;
    }
}

int64_t http2_server_timeout_ms(const struct http2_server *server)
{
    return deadline_queue_wait_ms(&server->lingering.deadlines, clock_monotonic_ms());
}

struct http2_server *http2_server_create(const struct http2_server_options *options,
                                         struct error *error)
{
    struct http2_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        struct listener listener = options->listener;
        listener_close(&listener);
        (void)error_out_of_memory(error);
        return NULL;
    }
    server->loop = options->loop;
    server->state = options->state;
    server->listener = options->listener;
    TAILQ_INIT(&server->connections);
    lingering_init(&server->lingering, server->loop);
    server->tls = http2_tls_create(options->certificate_pem, options->key_pem, error);
    if (server->tls == NULL)
        goto fail;
    for (size_t i = 0; i < server->listener.count; i++)
        if (!event_loop_watch(server->loop, server->listener.fds[i], EVENT_READ, note_arrival,
                              server, error))
            goto fail;
    return server;
fail:
    http2_server_destroy(server);
    return NULL;
}

void http2_server_destroy(struct http2_server *server)
{
    if (server == NULL)
        return;
    struct http2_connection *connection;
    while ((connection = TAILQ_FIRST(&server->connections)) != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it left the list */
        connection_destroy(connection, HTTP2_OPEN);
    lingering_fini(&server->lingering);
    for (size_t i = 0; i < server->listener.count; i++)
        event_loop_forget(server->loop, server->listener.fds[i]);
    listener_close(&server->listener);
    http2_tls_destroy(server->tls);
    free(server);
}
