/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of http_server: libmicrohttpd, which only http_daemon.c and http_fault.c know. Its types
 * pass through here unopened.
 *
 * Owns:    the daemon owns the connections; a response belongs to whoever holds it. Threads: one,
 * the server's. Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/error.h"
#include "lib/net/http_head.h"
#include "lib/net/http_server.h"

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;
struct http_connection;

enum http_step {
    HTTP_STEP_CONTINUE, /* with what is still to come of the request */
    HTTP_STEP_SUSPEND,  /* until http_daemon_resume; then `complete` is called again */
    HTTP_STEP_RESPOND,  /* with the request's response; without one the connection is closed */
};

/* What the daemon meets, told while it runs, is given a connection, or stops. All are required. */
struct http_daemon_events {
    void *context;
    /* NULL: it cannot be served and is closed. `fd` and `tls_session` (GnuTLS's, before its
     * handshake; NULL: no TLS) are borrowed until `disconnected`. */
    struct http_connection *(*connected)(void *context, int fd, const struct sockaddr *peer,
                                         void *tls_session);
    /* `connection` as it was returned: NULL too. */
    void (*disconnected)(void *context, struct http_connection *connection);
    /* The request line is in. NULL: the connection is closed. */
    struct http_request *(*request_line)(void *context, struct http_connection *connection,
                                         struct MHD_Connection *handle, const char *target);
    enum http_step (*head)(void *context, struct http_request *request,
                           const struct http_head *head, const char *version, size_t head_bytes);
    /* A piece of the body. False: the connection is closed. */
    bool (*body)(void *context, struct http_request *request, const char *bytes, size_t length);
    enum http_step (*complete)(void *context, struct http_request *request);
    /* The last one of a request, unless its connection is gone before; `is_sent`: the whole answer
     * is. */
    void (*over)(void *context, struct http_request *request, bool is_sent);
};

/* `events` outlives the daemon. */
MUST_CHECK struct MHD_Daemon *http_daemon_start(const struct http_daemon_events *events,
                                                const struct http_server_options *options,
                                                struct error *error);
int http_daemon_fd(struct MHD_Daemon *daemon);
int64_t http_daemon_wait_ms(struct MHD_Daemon *daemon); /* -1: no limit */
void http_daemon_run(struct MHD_Daemon *daemon);
/* A connection that was accepted; closed when it cannot be served. */
void http_daemon_add(struct MHD_Daemon *daemon, int take_fd, const struct sockaddr *peer,
                     socklen_t peer_length);
/* Nothing may be suspended. */
void http_daemon_stop(struct MHD_Daemon *take_daemon);

/* NULL when absent; the first of several. */
const char *http_daemon_header(struct MHD_Connection *handle, const char *name);
/* GnuTLS's session; NULL: no TLS. */
void *http_daemon_tls_session(struct MHD_Connection *handle);
void http_daemon_resume(struct MHD_Connection *handle);
/* `keep_alive` is the value of the header of that name; NULL: the connection ends with it.
 * NULL when memory is short or a header is not valid. */
MUST_CHECK struct MHD_Response *http_daemon_create_response(const struct http_reply *reply,
                                                            const char *keep_alive);
/* `take_response` with the headers of the reply; accepts NULL, and fails as the one above. */
MUST_CHECK struct MHD_Response *http_daemon_add_headers(struct MHD_Response *take_response,
                                                        const struct http_reply *reply,
                                                        const char *keep_alive);
void http_daemon_destroy_response(struct MHD_Response *response); /* accepts NULL */
