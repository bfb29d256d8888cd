/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of http_server: libmicrohttpd, which only http_daemon.c knows. Its types pass through here
 * unopened.
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
struct http_connection; /* of http_server.c */

/* ---- what http_server.c calls ---- */

MUST_CHECK struct MHD_Daemon *http_daemon_start(struct http_server *server,
                                                const struct http_server_options *options,
                                                struct error *error);
int http_daemon_fd(struct MHD_Daemon *daemon);
int64_t http_daemon_wait_ms(struct MHD_Daemon *daemon); /* -1: no limit */
void http_daemon_run(struct MHD_Daemon *daemon);
/* A connection that was accepted; closed when it cannot be served. `daemon` is an MHD_Daemon. */
void http_daemon_add(void *daemon, int take_fd, const struct sockaddr *peer, socklen_t peer_length);
/* Nothing may be suspended. */
void http_daemon_stop(struct MHD_Daemon *take_daemon);

void http_daemon_resume(struct MHD_Connection *handle);
/* A RST at once, on a connection that is about to be closed. */
void http_daemon_reset(int fd);
/* NULL when memory is short or a header is not valid. */
MUST_CHECK struct MHD_Response *http_daemon_create_response(const struct http_reply *reply,
                                                            bool is_last);
/* Half of the body, then a RST on `fd`. */
MUST_CHECK struct MHD_Response *http_daemon_create_cut_response(const struct http_reply *reply,
                                                                int fd);
void http_daemon_destroy_response(struct MHD_Response *response); /* accepts NULL */

/* ---- what http_daemon.c calls, in http_server.c ---- */

enum http_step {
    HTTP_STEP_CONTINUE, /* with what is still to come of the request */
    HTTP_STEP_SUSPEND,  /* until http_daemon_resume; then http_server_end_of_request is called again
                         */
    HTTP_STEP_RESPOND,  /* with the request's response; without one the connection is closed */
};

/* NULL: it cannot be served and is closed. `fd` is borrowed until http_server_disconnected. */
struct http_connection *http_server_connected(struct http_server *server, int fd);
/* `connection` as it was returned: NULL too. */
void http_server_disconnected(struct http_server *server, struct http_connection *connection);
/* The request line is in. NULL: the connection is closed. */
struct http_request *http_server_request_line(struct http_server *server,
                                              struct http_connection *connection,
                                              struct MHD_Connection *handle, const char *target);
enum http_step http_server_head(struct http_request *request, const struct http_head *head,
                                const char *version, size_t head_bytes);
enum http_step http_server_end_of_request(struct http_request *request);
/* The last call; `is_sent`: the whole answer is. */
void http_server_request_over(struct http_request *request, bool is_sent);
