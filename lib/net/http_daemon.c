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
#include <string.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/base/ownership.h"
#include "lib/net/http_request.h"
#include "lib/net/tls_server.h"

enum {
    /* libmicrohttpd has a pool of one size for each connection, and clears all of it with each
     * request: it is what an idle connection costs. The head of the request lies there, an entry
     * for each header and cookie, a copy of the cookies, and the head of the answer. The first ones
     * are what header_bytes_max is about; the extra is for the answer, so that a head somewhat over
     * the limit gets ours too. */
    POOL_EXTRA_BYTES = 1536,
    ENTRY_BYTES = 64,
    IDLE_EXTRA_S = 3,
};

/* ---- connections and requests ---- */

static int fd_of(struct MHD_Connection *handle)
{
    return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

void *http_daemon_tls_session(struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL ? info->tls_session : NULL;
}

static void track_connection(void *context, struct MHD_Connection *handle, void **slot,
                             enum MHD_ConnectionNotificationCode code)
{
    const struct http_daemon_events *events = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = events->connected(
            events->context, fd_of(handle),
            MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
            http_daemon_tls_session(handle));
        if (*slot == NULL)
            (void)shutdown(fd_of(handle), SHUT_RDWR);
    } else {
        events->disconnected(events->context, *slot);
    }
}

/* libmicrohttpd parses the query behind start_request, in the buffer that it shows there, and makes
 * a record of each parameter in the connection's pool. When that is full, 0.9.75 queues an answer,
 * reads on as if nothing had happened, and in the end drops the connection without a word to
 * anybody. The request has read its query by then, so none is left for libmicrohttpd. */
static void hide_query(const char *target)
{
    char *mark = strchr(target, '?');
    if (mark != NULL)
        mark[1] = '\0';
}

static void *start_request(void *context, const char *target, struct MHD_Connection *handle)
{
    const struct http_daemon_events *events = context;
    void *connection =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct http_request *request =
        connection != NULL ? events->request_line(events->context, connection, handle, target)
                           : NULL;
    hide_query(target);
    return request;
}

/* A value stands behind its name in what was received. libmicrohttpd 0.9.75 puts a folded line
 * behind the name, elsewhere, and so makes another header of it. */
static bool is_in_one_piece(const char *name, const char *value)
{
    for (const char *at = name + strlen(name) + 1; at != value; at++) {
        if (at > value || (*at != ' ' && *at != '\t'))
            return false;
    }
    return true;
}

/* Optional white space is no part of a value (RFC 9110 section 5.5); libmicrohttpd 0.9.75 keeps
 * what is behind it. The value is its own. */
static void trim(const char *value)
{
    char *end = strchr(value, '\0');
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct http_head *head = context;
    http_head_note(head, name, value);
    if (value == NULL)
        return MHD_YES;
    if (!is_in_one_piece(name, value))
        head->is_malformed = true;
    if (value != head->encoding) /* libmicrohttpd has read that as it was, and we do too */
        trim(value);
    return MHD_YES;
}

/* What it takes of the pool. */
static size_t head_bytes(struct MHD_Connection *handle)
{
    const char *cookies = MHD_lookup_connection_value(handle, MHD_HEADER_KIND, "Cookie");
    int entries = MHD_get_connection_values(
        handle, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, NULL, NULL);
    assert(entries >= 0);
    return MHD_get_connection_info(handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size +
           (size_t)entries * ENTRY_BYTES + (cookies != NULL ? strlen(cookies) : 0);
}

static enum http_step take_head(const struct http_daemon_events *events,
                                struct http_request *request, const char *version)
{
    struct MHD_Connection *handle = request->handle;
    struct http_head head = {.hosts = 0};
    (void)MHD_get_connection_values(handle, MHD_HEADER_KIND, note_header, &head);
    return events->head(events->context, request, &head, version, head_bytes(handle));
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

/* The parameters are libmicrohttpd's. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result take_request(void *context, struct MHD_Connection *handle, const char *url,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *length, void **slot)
{
    const struct http_daemon_events *events = context;
    (void)handle;
    (void)url; /* decoded; start_request has seen the original */
    struct http_request *request = *slot;
    if (request == NULL) /* start_request was out of memory */
        return MHD_NO;
    if (request->method == NULL) {
        request->method = method;
        return obey(request, take_head(events, request, version));
    }
    if (*length == 0)
        return obey(request, events->complete(events->context, request));
    bool is_taken = events->body(events->context, request, bytes, *length);
    *length = 0;
    return is_taken ? MHD_YES : MHD_NO;
}

static void end_request(void *context, struct MHD_Connection *handle, void **slot,
                        enum MHD_RequestTerminationCode code)
{
    const struct http_daemon_events *events = context;
    (void)handle;
    struct http_request *request = STEAL(*slot);
    if (request != NULL)
        events->over(events->context, request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
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

/* Never called: http_server equips each session before its handshake. libmicrohttpd only insists on
 * some way to a certificate. */
static int give_no_certificate(void)
{
    return -1;
}

struct MHD_Daemon *http_daemon_start(const struct http_daemon_events *events,
                                     const struct http_server_options *options, struct error *error)
{
    bool is_tls = options->tls_key_pem != NULL || options->tls != NULL;
    /* The pointer options lack a const. */
    void *context = (void *)(uintptr_t)events;
    void *key = (void *)(uintptr_t)options->tls_key_pem;
    void *certificate = (void *)(uintptr_t)options->tls_certificate_pem;
    void *priorities = (void *)(uintptr_t)tls_server_priorities;
    size_t pool_bytes = options->header_bytes_max + POOL_EXTRA_BYTES;
    const struct MHD_OptionItem items[] = {
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)start_request, context},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end_request, context},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)track_connection, context},
        {MHD_OPTION_CONNECTION_LIMIT, options->connections_max, NULL},
        /* Between two requests the server's own deadline comes first: libmicrohttpd would close
         * before it reads. */
        {MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s + IDLE_EXTRA_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)pool_bytes, NULL},
        {is_tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, 0, priorities},
        {options->tls != NULL ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_HTTPS_MEM_KEY, 0,
         options->tls != NULL ? (void *)(uintptr_t)give_no_certificate : key},
        {options->tls != NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_CERT, 0, certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    /* It does not accept: without descriptors it would stop doing so until one of its own
     * connections ends, or, without any, try in a loop. */
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG | (is_tls ? MHD_USE_TLS : 0U);
    /* The logger goes first, so that it hears about the other options. */
    struct MHD_Daemon *daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, take_request, context, MHD_OPTION_EXTERNAL_LOGGER,
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

void http_daemon_add(struct MHD_Daemon *daemon, int take_fd, const struct sockaddr *peer,
                     socklen_t peer_length)
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

const char *http_daemon_header(struct MHD_Connection *handle, const char *name)
{
    return MHD_lookup_connection_value(handle, MHD_HEADER_KIND, name);
}

/* ---- responses ---- */

/* libmicrohttpd leaves out "Connection: keep-alive" in HTTP/1.1, where it is the rule; but it has
 * to name a Keep-Alive (RFC 9110 section 7.6.1). */
static bool add_end(struct MHD_Response *response, const char *keep_alive)
{
    if (keep_alive == NULL)
        return MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    return MHD_set_response_options(response, MHD_RF_SEND_KEEP_ALIVE_HEADER, MHD_RO_END) ==
               MHD_YES &&
           MHD_add_response_header(response, "Keep-Alive", keep_alive) == MHD_YES;
}

struct MHD_Response *http_daemon_add_headers(struct MHD_Response *take_response,
                                             const struct http_reply *reply, const char *keep_alive)
{
    if (take_response == NULL)
        return NULL;
    bool is_complete =
        reply->content_type == NULL ||
        MHD_add_response_header(take_response, "Content-Type", reply->content_type) == MHD_YES;
    const struct http_header *header = reply->headers;
    const struct http_header *end = header + HTTP_REPLY_HEADERS_MAX;
    for (; is_complete && header < end && header->name != NULL; header++)
        is_complete =
            MHD_add_response_header(take_response, header->name, header->value) == MHD_YES;
    if (is_complete && add_end(take_response, keep_alive))
        return take_response;
    MHD_destroy_response(take_response);
    return NULL;
}

struct MHD_Response *http_daemon_create_response(const struct http_reply *reply,
                                                 const char *keep_alive)
{
    void *body = (void *)(uintptr_t)reply->body; /* the parameter lacks a const; it is only read */
    enum MHD_ResponseMemoryMode mode =
        reply->is_body_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY;
    return http_daemon_add_headers(MHD_create_response_from_buffer(reply->body_length, body, mode),
                                   reply, keep_alive);
}

void http_daemon_destroy_response(struct MHD_Response *response)
{
    if (response != NULL)
        MHD_destroy_response(response);
}
