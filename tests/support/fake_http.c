/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/fake_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REQUEST_BYTES_MAX = 1536 * 1024 };

struct connection {
    struct fake_http *server;
    pthread_t thread;
    int fd; /* -1: ended; holding the lock */
    size_t length;
    char bytes[REQUEST_BYTES_MAX + 1];
};

struct fake_http {
    fake_http_script script;
    void *context;
    int listen_fd;
    int stop_fd; /* readable when all is to end */
    unsigned short port;
    pthread_t thread;
    pthread_mutex_t script_lock;
    pthread_mutex_t lock;                            /* over what follows */
    struct connection *connections[CONNECTIONS_MAX]; /* owned */
    unsigned count, open, peak, requests;
};

/* False when the server stops meanwhile. */
static bool sleep_ms(struct fake_http *server, int delay_ms)
{
    struct pollfd fd = {.fd = server->stop_fd, .events = POLLIN};
    return poll(&fd, 1, delay_ms) == 0;
}

static bool send_bytes(struct connection *connection, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(connection->fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool drip(struct connection *connection, const char *bytes, size_t length, int delay_ms)
{
    for (size_t i = 0; i < length; i++) {
        if (!sleep_ms(connection->server, delay_ms) || !send_bytes(connection, bytes + i, 1))
            return false;
    }
    return true;
}

static void reset(struct connection *connection)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void send_without_end(struct connection *connection)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    char block[4096];
    memset(block, 'x', sizeof block);
    bool goes_on = send_bytes(connection, head, sizeof head - 1);
    while (goes_on)
        goes_on = sleep_ms(connection->server, 0) && send_bytes(connection, block, sizeof block);
}

/* Whether the connection stays. */
static bool act(struct connection *connection, const struct fake_answer *answer)
{
    if (answer->delay_ms > 0 && answer->act != FAKE_DRIP &&
        !sleep_ms(connection->server, (int)answer->delay_ms))
        return false;
    const char *body = answer->body != NULL ? answer->body : "";
    size_t body_length = strlen(body);
    char *text = NULL;
    int length = asprintf(&text, "HTTP/1.1 %u Fake\r\nContent-Length: %zu\r\n%s\r\n%s",
                          answer->status != 0 ? answer->status : 200, body_length,
                          answer->headers != NULL ? answer->headers : "", body);
    assert(length > 0);
    bool stays = false;
    switch (answer->act) {
    case FAKE_ANSWER:
        stays = send_bytes(connection, text, (size_t)length);
        break;
    case FAKE_DRIP:
        stays = drip(connection, text, (size_t)length, (int)answer->delay_ms);
        break;
    case FAKE_CUT_BODY:
        (void)send_bytes(connection, text, (size_t)length - (body_length + 1) / 2);
        break;
    case FAKE_RESET:
        reset(connection);
        break;
    case FAKE_CLOSE:
        break;
    case FAKE_GARBAGE:
        (void)send_bytes(connection, "\x01\x02 no such protocol\r\n\r\n", 23);
        break;
    case FAKE_ENDLESS:
        send_without_end(connection);
        break;
    case FAKE_SILENT:
        (void)sleep_ms(connection->server, -1);
        break;
    }
    free(text);
    return stays;
}

static size_t content_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line != NULL ? strtoul(strchr(line, ':') + 1, NULL, 10) : 0;
}

/* One whole request; the bytes of the next one are not expected to come before the answer. */
static bool read_request(struct connection *connection, struct fake_request *out)
{
    connection->length = 0;
    for (;;) {
        ssize_t got = recv(connection->fd, connection->bytes + connection->length,
                           REQUEST_BYTES_MAX - connection->length, 0);
        if (got <= 0)
            return false;
        connection->length += (size_t)got;
        connection->bytes[connection->length] = '\0';
        char *end = strstr(connection->bytes, "\r\n\r\n");
        if (end == NULL)
            continue;
        size_t head_length = (size_t)(end - connection->bytes) + 4;
        size_t body_length = connection->length - head_length;
        if (body_length < content_length(connection->bytes))
            continue;
        end[2] = '\0';
        *out = (struct fake_request){connection->bytes, end + 4, body_length};
        return true;
    }
}

static bool serve(struct connection *connection)
{
    struct fake_http *server = connection->server;
    struct fake_request request;
    if (!read_request(connection, &request))
        return false;
    pthread_mutex_lock(&server->script_lock);
    struct fake_answer answer = server->script(server->context, &request);
    pthread_mutex_unlock(&server->script_lock);
    /* Only now: whoever sees the count may change what the script answers. */
    pthread_mutex_lock(&server->lock);
    server->requests++;
    pthread_mutex_unlock(&server->lock);
    return act(connection, &answer);
}

static void *run_connection(void *context)
{
    struct connection *connection = context;
    while (serve(connection))
        continue;
    struct fake_http *server = connection->server;
    pthread_mutex_lock(&server->lock);
    close(connection->fd);
    connection->fd = -1;
    server->open--;
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void accept_one(struct fake_http *server, int fd)
{
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *connection = malloc(sizeof *connection);
    assert(connection != NULL);
    connection->server = server;
    connection->fd = fd;
    pthread_mutex_lock(&server->lock);
    assert(server->count < CONNECTIONS_MAX);
    server->connections[server->count++] = connection;
    server->open++;
    if (server->open > server->peak)
        server->peak = server->open;
    int status = pthread_create(&connection->thread, NULL, run_connection, connection);
    assert(status == 0);
    pthread_mutex_unlock(&server->lock);
}

static void *run(void *context)
{
    struct fake_http *server = context;
    struct pollfd fds[] = {{.fd = server->listen_fd, .events = POLLIN},
                           {.fd = server->stop_fd, .events = POLLIN}};
    for (;;) {
        (void)poll(fds, 2, -1);
        if (fds[1].revents != 0)
            return NULL;
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            accept_one(server, fd);
    }
}

struct fake_http *fake_http_start(fake_http_script script, void *context)
{
    struct fake_http *server = calloc(1, sizeof *server);
    assert(server != NULL);
    server->script = script;
    server->context = context;
    pthread_mutex_init(&server->script_lock, NULL);
    pthread_mutex_init(&server->lock, NULL);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int status = bind(server->listen_fd, (struct sockaddr *)&address, length);
    assert(status == 0);
    status = listen(server->listen_fd, 128);
    assert(status == 0);
    status = getsockname(server->listen_fd, (struct sockaddr *)&address, &length);
    assert(status == 0);
    server->port = ntohs(address.sin_port);
    status = pthread_create(&server->thread, NULL, run, server);
    assert(status == 0);
    return server;
}

void fake_http_close_connections(struct fake_http *server)
{
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < server->count; i++) {
        if (server->connections[i]->fd >= 0)
            (void)shutdown(server->connections[i]->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->lock);
}

void fake_http_stop(struct fake_http *server)
{
    if (server == NULL)
        return;
    (void)eventfd_write(server->stop_fd, 1);
    pthread_join(server->thread, NULL);
    fake_http_close_connections(server);
    for (unsigned i = 0; i < server->count; i++) {
        pthread_join(server->connections[i]->thread, NULL);
        free(server->connections[i]);
    }
    close(server->listen_fd);
    close(server->stop_fd);
    pthread_mutex_destroy(&server->lock);
    pthread_mutex_destroy(&server->script_lock);
    free(server);
}

unsigned short fake_http_port(const struct fake_http *server)
{
    return server->port;
}

static unsigned read_count(struct fake_http *server, const unsigned *count)
{
    pthread_mutex_lock(&server->lock);
    unsigned value = *count;
    pthread_mutex_unlock(&server->lock);
    return value;
}

unsigned fake_http_connections(struct fake_http *server)
{
    return read_count(server, &server->count);
}

unsigned fake_http_connections_peak(struct fake_http *server)
{
    return read_count(server, &server->peak);
}

unsigned fake_http_requests(struct fake_http *server)
{
    return read_count(server, &server->requests);
}

const char *fake_header(const struct fake_request *request, const char *name)
{
    static char value[8192];
    char start[128];
    (void)snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *line = strcasestr(request->head, start);
    if (line == NULL)
        return NULL;
    line += strlen(start);
    size_t length = strcspn(line, "\r\n");
    assert(length < sizeof value);
    memcpy(value, line, length);
    value[length] = '\0';
    return value;
}
