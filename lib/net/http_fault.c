/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_fault.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/net/http_connections.h"
#include "lib/net/http_daemon.h"
#include "lib/net/http_request.h"

enum { CUT_BLOCK_BYTES = 4096 };

/* Linux answers this with a RST at once, whereas closing with SO_LINGER 0 would come after the FIN
 * that libmicrohttpd sends first. A unix socket has no RST: the call fails and the close has to do.
 */
static void reset(int fd)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    (void)connect(fd, &nowhere, sizeof nowhere);
}

struct cut_body {
    int fd;
    size_t length; /* what is sent of it */
    char bytes[];
};

static ssize_t read_cut_body(void *context, uint64_t position, char *bytes, size_t space)
{
    const struct cut_body *body = context;
    if (position >= body->length) {
        reset(body->fd);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t left = body->length - (size_t)position;
    size_t length = left < space ? left : space;
    memcpy(bytes, body->bytes + position, length);
    return (ssize_t)length;
}

static struct MHD_Response *create_cut_response(const struct http_reply *reply, int fd)
{
    assert(reply->body_length > 0);
    size_t half = reply->body_length / 2;
    struct cut_body *body = malloc(sizeof *body + half);
    if (body == NULL)
        return NULL;
    body->fd = fd;
    body->length = half;
    memcpy(body->bytes, reply->body, half);
    struct MHD_Response *response = MHD_create_response_from_callback(
        reply->body_length, CUT_BLOCK_BYTES, read_cut_body, body, free);
    if (response == NULL)
        free(body);
    return http_daemon_add_headers(response, reply, NULL);
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
        http_request_settle(request, create_cut_response(reply, fd), reply->status);
        break;
    }
}
