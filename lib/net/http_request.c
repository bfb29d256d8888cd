/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/http_request.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/base/budget.h"
#include "lib/base/clock.h"
#include "lib/net/http_connections.h"
#include "lib/net/http_daemon.h"
#include "lib/net/http_peer.h"
#include "lib/net/http_query.h"
#include "lib/net/http_server.h"
#include "lib/net/tls_server.h"

enum {
    BAD_REQUEST = 400,
    CONTENT_TOO_LARGE = 413,
    HEADER_FIELDS_TOO_LARGE = 431,
    SERVICE_UNAVAILABLE = 503,
    UNCHARGED_BYTES = 8192,
};

struct http_request *http_request_create(const char *target,
                                         const struct http_server_options *options)
{
    const char *path = http_target_path(target);
    size_t length = strcspn(path, "?");
    const char *mark = strchr(target, '?');
    size_t room = mark != NULL ? http_query_room(strlen(mark + 1)) : 0;
    struct http_request *request = calloc(1, sizeof *request + length + 1 + room);
    if (request == NULL)
        return NULL;
    request->refusal = http_target_is_valid(target) ? 0 : BAD_REQUEST;
    request->started_us = clock_monotonic_us();
    buffer_init(&request->body, options->body_bytes_max);
    request->bodies = options->bodies;
    memcpy(request->path, path, length);
    request->query = request->path + length + 1;
    if (mark != NULL)
        request->query_bytes = http_query_decode(mark + 1, request->query);
    return request;
}

void http_request_destroy(struct http_request *request)
{
    assert(!request->is_suspended);
    assert(request->response == NULL);
    http_request_drop_body(request);
    free(request);
}

void http_request_move(struct http_request *request, enum http_request_state next)
{
    assert(next > request->state); /* forward only; answering may skip the handler */
    request->state = next;
}

void http_request_suspend(struct http_request *request)
{
    struct http_requests *requests = request->requests;
    assert(!request->is_suspended);
    assert(request->state == HTTP_REQUEST_HANDLED);
    request->is_suspended = true;
    request->next = requests->suspended;
    if (request->next != NULL)
        request->next->previous = request;
    requests->suspended = request;
}

static void resume(struct http_request *request)
{
    assert(request->is_suspended);
    struct http_requests *requests = request->requests;
    assert((request->previous == NULL) == (requests->suspended == request));
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        requests->suspended = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    request->previous = request->next = NULL;
    request->is_suspended = false;
    requests->has_resumed = true;
    http_daemon_resume(request->handle);
}

void http_request_settle(struct http_request *request, struct MHD_Response *take_response,
                         unsigned status)
{
    http_request_move(request, HTTP_REQUEST_ANSWERED);
    assert(request->requests->open > 0 && request->response == NULL);
    request->requests->open--;
    request->requests->undelivered++;
    request->response = take_response;
    request->status = status;
    if (request->is_suspended)
        resume(request);
}

/* A session with a certificate that was replaced, or whose client was judged by an authority that
 * was. */
static bool is_session_outdated(const struct http_request *request)
{
    const struct tls_identity *identity = request->connection->identity;
    return identity != NULL && tls_identity_is_replaced(identity);
}

void http_request_reply(struct http_request *request, const struct http_reply *reply)
{
    bool is_last = reply->is_last || request->is_last || request->requests->is_quiesced ||
                   is_session_outdated(request);
    const char *keep_alive = is_last ? NULL : request->requests->keep_alive;
    http_request_settle(request, http_daemon_create_response(reply, keep_alive), reply->status);
}

unsigned http_request_judge_head(const struct http_request *request, const struct http_head *head,
                                 const char *version, size_t head_bytes,
                                 const struct http_server_options *options)
{
    if (head_bytes > options->header_bytes_max)
        return HEADER_FIELDS_TOO_LARGE;
    if (request->refusal != 0 || !http_head_is_sound(head, version))
        return BAD_REQUEST;
    if (http_head_body_length(head) > options->body_bytes_max)
        return CONTENT_TOO_LARGE;
    return 0;
}

void http_request_drop_body(struct http_request *request)
{
    buffer_fini(&request->body);
    assert(request->charged == 0 || request->bodies != NULL);
    if (request->charged > 0)
        budget_give(request->bodies, request->charged);
    request->charged = 0;
}

/* Small ones are bounded by the number of connections, and most are small. */
static bool charge(struct http_request *request)
{
    size_t capacity = request->body.capacity;
    if (request->bodies == NULL || capacity <= UNCHARGED_BYTES || capacity == request->charged)
        return true;
    assert(capacity > request->charged);
    if (!budget_take(request->bodies, capacity - request->charged))
        return false;
    request->charged = capacity;
    return true;
}

bool http_request_take_body(struct http_request *request, const char *bytes, size_t length)
{
    if (request->refusal != 0)
        return true;
    struct error error = {.kind = ERROR_NONE};
    bool is_taken = buffer_append(&request->body, bytes, length, &error);
    if (is_taken && charge(request))
        return true;
    http_request_drop_body(request);
    request->refusal = is_taken ? SERVICE_UNAVAILABLE : CONTENT_TOO_LARGE;
    return error.kind != ERROR_MEMORY;
}

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return http_daemon_header(request->handle, name);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    return http_query_value(request->query, request->query_bytes, name);
}

const char *http_request_body(const struct http_request *request, size_t *out_length)
{
    *out_length = request->body.length;
    return request->body.bytes;
}

enum http_peer http_request_peer(struct http_request *request, char reason[HTTP_PEER_REASON_BYTES])
{
    _Static_assert(HTTP_PEER_REASON_BYTES >= (int)TLS_REASON_BYTES, "fits");
    struct http_connection *connection = request->connection;
    reason[0] = '\0';
    if (connection->identity == NULL)
        return HTTP_PEER_UNKNOWN;
    if (connection->is_peer_verified)
        return HTTP_PEER_VERIFIED;
    switch (tls_server_judge_peer(http_daemon_tls_session(request->handle), reason)) {
    case TLS_PEER_VERIFIED:
        connection->is_peer_verified = true;
        return HTTP_PEER_VERIFIED;
    case TLS_PEER_REFUSED:
        return HTTP_PEER_REFUSED;
    case TLS_PEER_UNKNOWN:
        break;
    }
    return HTTP_PEER_UNKNOWN;
}

static void write_user(int fd, char text[HTTP_ADDRESS_TEXT_BYTES])
{
    struct ucred user;
    socklen_t length = sizeof user;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &length) == 0)
        (void)snprintf(text, HTTP_ADDRESS_TEXT_BYTES, "uid %u", (unsigned)user.uid);
}

static void write_ip(int family, const void *address, unsigned port,
                     char text[HTTP_ADDRESS_TEXT_BYTES])
{
    char host[INET6_ADDRSTRLEN];
    if (inet_ntop(family, address, host, sizeof host) != NULL)
        (void)snprintf(text, HTTP_ADDRESS_TEXT_BYTES, family == AF_INET6 ? "[%s]:%u" : "%s:%u",
                       host, port);
}

void http_address_write(const struct sockaddr *peer, char text[HTTP_ADDRESS_TEXT_BYTES])
{
    const struct sockaddr_in *ipv4 = (const void *)peer;
    const struct sockaddr_in6 *ipv6 = (const void *)peer;
    (void)snprintf(text, HTTP_ADDRESS_TEXT_BYTES, "unknown");
    if (peer->sa_family == AF_INET)
        write_ip(AF_INET, &ipv4->sin_addr, ntohs(ipv4->sin_port), text);
    else if (peer->sa_family == AF_INET6)
        write_ip(AF_INET6, &ipv6->sin6_addr, ntohs(ipv6->sin6_port), text);
}

void http_request_address(const struct http_request *request, char text[HTTP_ADDRESS_TEXT_BYTES])
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
    } peer = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof peer;
    if (getpeername(request->connection->fd, &peer.any, &length) != 0)
        peer.any.sa_family = AF_UNSPEC;
    http_address_write(&peer.any, text);
    if (peer.any.sa_family == AF_UNIX)
        write_user(request->connection->fd, text);
}

int64_t http_request_started_us(const struct http_request *request)
{
    return request->started_us;
}

void http_request_set_user_data(struct http_request *request, void *user_data)
{
    request->user_data = user_data;
}

void *http_request_user_data(const struct http_request *request)
{
    return request->user_data;
}
