/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd calls take_request once when the head of a request is in, once per piece of its
 * body, and again when it is complete. Only inside that call may a response be queued. So a request
 * that is not answered there is suspended; when it is resumed, take_request is called once more,
 * and then the response is handed over.
 */
#include "lib/net/http_daemon.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/base/ownership.h"
#include "lib/net/http_request.h"

enum {
    /* The parsed headers and the head of the answer share the connection's pool with the head of
     * the request: room for them, so that a head somewhat over the limit gets our answer. */
    POOL_EXTRA_BYTES = 8192,
    CUT_BLOCK_BYTES = 4096,
};

/* ---- connections and requests ---- */

static int fd_of(struct MHD_Connection *handle)
{
    return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void track_connection(void *context, struct MHD_Connection *handle, void **slot,
                             enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = http_server_connected(context, fd_of(handle));
        if (*slot == NULL)
            (void)shutdown(fd_of(handle), SHUT_RDWR);
    } else {
        http_server_disconnected(context, *slot);
    }
}

static void *start_request(void *context, const char *target, struct MHD_Connection *handle)
{
    void *connection =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    return connection != NULL ? http_server_request_line(context, connection, handle, target)
                              : NULL;
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    http_head_note(context, name, value);
    return MHD_YES;
}

static enum http_step take_head(struct http_request *request, const char *version)
{
    struct MHD_Connection *handle = request->handle;
    struct http_head head = {.hosts = 0};
    (void)MHD_get_connection_values(handle, MHD_HEADER_KIND, note_header, &head);
    size_t bytes =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    return http_server_head(request, &head, version, bytes);
}

/* MHD_NO closes the connection. */
static enum MHD_Result respond(struct http_request *request)
{
    if (request->response == NULL)
        return MHD_NO;
    enum MHD_Result result =
        MHD_queue_response(request->handle, request->status, request->response);
    MHD_destroy_response(STEAL(request->response));
    return result;
}

static enum MHD_Result obey(struct http_request *request, enum http_step step)
{
    switch (step) {
    case HTTP_STEP_CONTINUE:
        return MHD_YES;
    case HTTP_STEP_SUSPEND:
        MHD_suspend_connection(request->handle);
        return MHD_YES;
    case HTTP_STEP_RESPOND:
        return respond(request);
    }
    return MHD_NO;
}

static enum MHD_Result take_request(void *context, struct MHD_Connection *handle, const char *url,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *length, void **slot)
{
    (void)context;
    (void)handle;
    (void)url; /* decoded; start_request has seen the original */
    struct http_request *request = *slot;
    if (request == NULL) /* start_request was out of memory */
        return MHD_NO;
    if (request->method == NULL) {
        request->method = method;
        return obey(request, take_head(request, version));
    }
    if (*length == 0)
        return obey(request, http_server_end_of_request(request));
    bool is_taken = http_request_take_body(request, bytes, *length);
    *length = 0;
    return is_taken ? MHD_YES : MHD_NO;
}

static void end_request(void *context, struct MHD_Connection *handle, void **slot,
                        enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)handle;
    struct http_request *request = STEAL(*slot);
    if (request != NULL)
        http_server_request_over(request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->handle, MHD_HEADER_KIND, name);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    const char *value = NULL;
    if (MHD_lookup_connection_value_n(request->handle, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                      &value, NULL) != MHD_YES)
        return NULL;
    return value != NULL ? value : "";
}

/* ---- the daemon ---- */

static void forward_log(void *context, const char *format, va_list arguments)
{
    (void)context;
    if (!log_is_enabled(LOG_DEBUG))
        return;
    char text[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the format is libmicrohttpd's */
    (void)vsnprintf(text, sizeof text, format, arguments);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = '\0';
    log_debug("http_server", text);
}

struct MHD_Daemon *http_daemon_start(struct http_server *server,
                                     const struct http_server_options *options, struct error *error)
{
    bool is_tls = options->tls_key_pem != NULL;
    /* A pointer option lacks the const; libmicrohttpd only reads. */
    void *key = (void *)(uintptr_t)options->tls_key_pem;
    void *certificate = (void *)(uintptr_t)options->tls_certificate_pem;
    size_t pool_bytes = options->header_bytes_max + POOL_EXTRA_BYTES;
    const struct MHD_OptionItem items[] = {
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)start_request, server},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end_request, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)track_connection, server},
        {MHD_OPTION_CONNECTION_LIMIT, options->connections_max, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_address_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)pool_bytes, NULL},
        {is_tls ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    /* It does not accept: without descriptors it would stop doing so until one of its own
     * connections ends, or, without any, try in a loop. */
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG | (is_tls ? MHD_USE_TLS : 0U);
    /* The logger goes first, so that it hears about the other options. */
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, take_request, server, MHD_OPTION_EXTERNAL_LOGGER,
                         forward_log, NULL, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    if (daemon == NULL)
        (void)error_set(error, ERROR_IO, "the HTTP server does not start%s",
                        is_tls ? ": check certificate and key" : "");
    return daemon;
}

int http_daemon_fd(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int64_t http_daemon_wait_ms(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    return MHD_get_timeout(daemon, &wait_ms) == MHD_YES ? (int64_t)wait_ms : -1;
}

void http_daemon_run(struct MHD_Daemon *daemon)
{
    (void)MHD_run(daemon); /* fails only after MHD_stop_daemon */
}

void http_daemon_add(void *daemon, int take_fd, const struct sockaddr *peer, socklen_t peer_length)
{
    (void)MHD_add_connection(daemon, take_fd, peer, peer_length); /* closes what it does not take */
}

void http_daemon_stop(struct MHD_Daemon *take_daemon)
{
    MHD_stop_daemon(take_daemon);
}

void http_daemon_resume(struct MHD_Connection *handle)
{
    MHD_resume_connection(handle);
}

/* Linux answers this with a RST at once, whereas closing with SO_LINGER 0 would come after the FIN
 * that libmicrohttpd sends first. A unix socket has no RST: the call fails and the close has to do.
 */
void http_daemon_reset(int fd)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    (void)connect(fd, &nowhere, sizeof nowhere);
}

/* ---- responses ---- */

static struct MHD_Response *take_headers(struct MHD_Response *response,
                                         const struct http_reply *reply, bool is_last)
{
    if (response == NULL)
        return NULL;
    bool is_complete =
        reply->content_type == NULL ||
        MHD_add_response_header(response, "Content-Type", reply->content_type) == MHD_YES;
    const struct http_header *header = reply->headers;
    const struct http_header *end = header + HTTP_REPLY_HEADERS_MAX;
    for (; is_complete && header < end && header->name != NULL; header++)
        is_complete = MHD_add_response_header(response, header->name, header->value) == MHD_YES;
    if (is_complete && is_last)
        is_complete = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (is_complete)
        return response;
    MHD_destroy_response(response);
    return NULL;
}

struct MHD_Response *http_daemon_create_response(const struct http_reply *reply, bool is_last)
{
    void *body = (void *)(uintptr_t)reply->body; /* the parameter lacks a const; it is only read */
    enum MHD_ResponseMemoryMode mode =
        reply->is_body_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY;
    return take_headers(MHD_create_response_from_buffer(reply->body_length, body, mode), reply,
                        is_last);
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
        http_daemon_reset(body->fd);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t left = body->length - (size_t)position;
    size_t length = left < space ? left : space;
    memcpy(bytes, body->bytes + position, length);
    return (ssize_t)length;
}

struct MHD_Response *http_daemon_create_cut_response(const struct http_reply *reply, int fd)
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
    return take_headers(response, reply, reply->is_last);
}

void http_daemon_destroy_response(struct MHD_Response *response)
{
    if (response != NULL)
        MHD_destroy_response(response);
}
