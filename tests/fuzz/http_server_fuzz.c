/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What a client sends on one connection, to the real server with libmicrohttpd inside: request
 * lines, queries, heads, bodies, several requests. The first byte says where what is sent is cut
 * into two parts, between which the server turns. Whatever it is, the connection ends, each request
 * ends with it, and nothing is left (the leak check of the sanitizer).
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/net/http_server.h"

#include "tests/fuzz/fuzz_target.h"

enum {
    BODY_BYTES_MAX = 2000,
    HEAD_BYTES_MAX = 2048,
    CONNECTIONS_MAX = 4,
    TURNS_MAX = 10000,
    TURNS_FOR_ANSWERS = 20,
    HOLDS_MAX = 4,
};

static struct {
    struct http_server *server;
    struct sockaddr_un name;
    socklen_t name_length;
    struct http_request *held[HOLDS_MAX];
    size_t held_count;
    size_t open; /* requests that have begun or were refused, and are not over */
} stand;

/* ---- what the server does ---- */

static void note_begun(struct http_request *request)
{
    if (http_request_user_data(request) == NULL)
        stand.open++;
    http_request_set_user_data(request, &stand);
}

static void reply(struct http_request *request, unsigned status)
{
    const struct http_reply answer = {
        .status = status, .content_type = "text/plain", .body = "hello", .body_length = 5};
    http_request_reply(request, &answer);
}

static void begin(void *context, struct http_request *request)
{
    (void)context;
    note_begun(request);
    assert(http_request_method(request) != NULL);
    assert(http_request_path(request) != NULL);
    if (strcmp(http_request_path(request), "/no") == 0)
        reply(request, 401);
}

static void handle(void *context, struct http_request *request)
{
    (void)context;
    size_t length;
    const char *body = http_request_body(request, &length);
    assert(length <= BODY_BYTES_MAX && body[length] == '\0');
    static const char *const names[] = {"a", "wait", "", "limit"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = http_request_query(request, names[i]);
        assert(value == NULL || strlen(value) <= HEAD_BYTES_MAX);
        value = http_request_header(request, names[i]);
        assert(value == NULL || strlen(value) <= HEAD_BYTES_MAX);
    }
    if (strcmp(http_request_path(request), "/hold") == 0 && stand.held_count < HOLDS_MAX)
        stand.held[stand.held_count++] = request;
    else
        reply(request, 200);
}

static void refuse(void *context, struct http_request *request, unsigned status)
{
    (void)context;
    note_begun(request);
    assert(status >= 400 && status < 600);
    reply(request, status);
}

static void abandon(void *context, struct http_request *request)
{
    (void)context;
    reply(request, 503);
}

static void finish(void *context, struct http_request *request)
{
    (void)context;
    assert(http_request_user_data(request) == &stand && stand.open > 0);
    stand.open--;
}

/* An abstract address: there is no file to be left behind. */
static int open_listener(void)
{
    stand.name.sun_family = AF_UNIX;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    int failure = bind(fd, (const void *)&stand.name, sizeof stand.name.sun_family);
    assert(failure == 0); /* the kernel chooses the name */
    stand.name_length = sizeof stand.name;
    failure = getsockname(fd, (void *)&stand.name, &stand.name_length);
    assert(failure == 0);
    failure = listen(fd, CONNECTIONS_MAX);
    assert(failure == 0);
    return fd;
}

static void start(void)
{
    const struct http_server_options options = {
        .listener = {.fds = {open_listener()}, .count = 1},
        .body_bytes_max = BODY_BYTES_MAX,
        .header_bytes_max = HEAD_BYTES_MAX,
        .connections_max = CONNECTIONS_MAX,
        .idle_timeout_s = 60,
        .request_timeout_ms = 60000,
        .begin = begin,
        .handle = handle,
        .refuse = refuse,
        .abandon = abandon,
        .finish = finish,
    };
    struct error error;
    stand.server = http_server_create(&options, &error);
    assert(stand.server != NULL);
}

/* ---- the client ---- */

/* What is answered begins as HTTP does; the rest is read so that the server can send it. */
static void read_answer(int fd, size_t *received)
{
    char bytes[4096];
    ssize_t count;
    while ((count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        if (*received == 0)
            assert(bytes[0] == 'H');
        *received += (size_t)count;
    }
}

static void serve(void)
{
    http_server_turn(stand.server);
    while (stand.held_count > 0)
        reply(stand.held[--stand.held_count], 202);
}

static void turn(int fd, size_t *received)
{
    serve();
    read_answer(fd, received);
}

static void send_part(int fd, const uint8_t *bytes, size_t length, size_t *received)
{
    for (int turns = 0; length > 0; turns++) {
        ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; /* the server has closed */
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
        turn(fd, received);
        assert(turns < TURNS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (stand.server == NULL)
        start();
    if (size == 0)
        return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    int failure = connect(fd, (const void *)&stand.name, stand.name_length);
    assert(failure == 0);
    size_t received = 0, cut = (size - 1) * data[0] / 256;
    send_part(fd, data + 1, cut, &received);
    send_part(fd, data + 1 + cut, size - 1 - cut, &received);
    (void)shutdown(fd, SHUT_WR);
    for (int i = 0; i < TURNS_FOR_ANSWERS && http_server_connections(stand.server) > 0; i++)
        turn(fd, &received);
    /* An end that comes together with the last bytes is not always seen by libmicrohttpd 0.9.75,
     * which takes a short read for a socket that has no more; then only a time-out ends it. */
    (void)close(fd);
    for (int turns = 0; http_server_connections(stand.server) > 0; turns++) {
        serve();
        assert(turns < TURNS_MAX);
    }
    serve(); /* ends what lingers */
    assert(http_server_open_requests(stand.server) == 0);
    assert(stand.open == 0);
    return 0;
}
