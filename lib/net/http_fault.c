/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_fault.h"

#include <assert.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/net/http_connections.h"
#include "lib/net/http_daemon.h"
#include "lib/net/http_request.h"

enum { BLOCK_BYTES = 4096, LARGE_HEAD_MS = 1000 };

/* Linux answers this with a RST at once, whereas closing with SO_LINGER 0 would come after the FIN
 * that libmicrohttpd sends first. A unix socket has no RST: the call fails and the close has to do.
 */
static void reset(int fd)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    (void)connect(fd, &nowhere, sizeof nowhere);
}

struct body {
    int fd;
    bool is_cut;
    size_t length; /* what is sent of it */
    char bytes[];
};

static ssize_t read_body(void *context, uint64_t position, char *bytes, size_t space)
{
    const struct body *body = context;
    if (position >= body->length) {
        assert(body->is_cut); /* else libmicrohttpd asks for no more than it has announced */
        reset(body->fd);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t left = body->length - (size_t)position;
    size_t length = left < space ? left : space;
    memcpy(bytes, body->bytes + position, length);
    return (ssize_t)length;
}

/* The answer has left, or its connection has; the descriptor is still libmicrohttpd's. */
static void free_body(void *context)
{
    struct body *body = context;
    if (!body->is_cut)
        (void)shutdown(body->fd, SHUT_RDWR);
    free(body);
}

static struct MHD_Response *create_response(const struct http_request *request,
                                            const struct http_reply *reply, bool is_cut)
{
    assert(reply->body_length > 0);
    size_t length = is_cut ? reply->body_length / 2 : reply->body_length;
    struct body *body = malloc(sizeof *body + length);
    if (body == NULL)
        return NULL;
    *body = (struct body){request->connection->fd, is_cut, length};
    memcpy(body->bytes, reply->body, length);
    struct MHD_Response *response = MHD_create_response_from_callback(
        reply->body_length, BLOCK_BYTES, read_body, body, free_body);
    if (response == NULL)
        free(body);
    return http_daemon_add_headers(response, reply, request->requests->keep_alive);
}

void http_request_fail(struct http_request *request, enum http_fault fault,
                       const struct http_reply *reply)
{
    int fd = request->connection->fd;
    switch (fault) {
    case HTTP_FAULT_RESET:
        reset(fd);
        http_request_settle(request, NULL, 0);
        break;
    case HTTP_FAULT_CLOSE:
        http_request_settle(request, NULL, 0);
        break;
    case HTTP_FAULT_CUT_BODY:
        http_request_settle(request, create_response(request, reply, true), reply->status);
        break;
    case HTTP_FAULT_CLOSE_AFTER:
        http_request_settle(request, create_response(request, reply, false), reply->status);
        break;
    }
}

/* False: the peer is gone, or reads too slowly. */
static bool send_all(int fd, const char *bytes, size_t length)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    while (length > 0 && poll(&room, 1, LARGE_HEAD_MS) == 1) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return length == 0;
}

static bool append_filler(struct buffer *text, size_t bytes)
{
    static const char filler[] = "................................................................";
    while (bytes > 0) {
        size_t length = bytes < sizeof filler - 1 ? bytes : sizeof filler - 1;
        if (!buffer_append(text, filler, length, NULL))
            return false;
        bytes -= length;
    }
    return true;
}

void http_request_reply_large_head(struct http_request *request, const struct http_reply *reply,
                                   size_t bytes)
{
    struct buffer text;
    buffer_init(&text, SIZE_MAX / 4);
    /* Not past libmicrohttpd's session. */
    if (http_daemon_tls_session(request->handle) == NULL &&
        buffer_append_format(&text, NULL, "HTTP/1.1 %u Whatever\r\nX-Filler: ", reply->status) &&
        append_filler(&text, bytes) &&
        buffer_append_format(&text, NULL, "\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                             reply->content_type, reply->body_length) &&
        buffer_append(&text, reply->body, reply->body_length, NULL))
        (void)send_all(request->connection->fd, text.bytes, text.length);
    buffer_fini(&text);
    http_request_settle(request, NULL, 0);
}
