/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 server over libmicrohttpd, driven by the caller's loop (external epoll mode).
 *
 * A request reaches `handle` when its body is complete. The handler answers at once or later: until
 * http_request_reply the connection is suspended and costs no processor time. Later replies come
 * from the same thread. Each request gets exactly one reply; what is unanswered at
 * http_server_stop gets the reply that `abandon` gives.
 *
 * Owns:    the listening descriptor it is given, connections, requests.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct http_server;
struct http_request;

struct http_header {
    const char *name;
    const char *value;
};

enum { HTTP_REPLY_HEADERS_MAX = 8 };

struct http_reply {
    unsigned status;
    const char *content_type; /* borrowed; NULL without a body */
    const void *body;         /* copied, unless is_body_static */
    size_t body_length;
    bool is_body_static;                                /* the bytes outlive the server */
    struct http_header headers[HTTP_REPLY_HEADERS_MAX]; /* copied; ends with a NULL name or full */
    bool is_last;                                       /* closes the connection afterwards */
};

struct http_server_options {
    int listen_fd; /* taken, also on failure */
    size_t body_bytes_max;
    size_t header_bytes_max; /* request line and headers together */
    unsigned connections_max;
    unsigned connections_per_address_max; /* 0: no limit */
    unsigned idle_timeout_s;              /* no byte either way */
    unsigned request_timeout_ms;          /* from the first byte to the complete request */
    const char *tls_certificate_pem;      /* borrowed for the call; both or neither */
    const char *tls_key_pem;
    void *context;
    /* The head is in, the body is not. May reply (then the body is not read) or return. NULL:
     * nothing. */
    void (*begin)(void *context, struct http_request *request);
    /* The request is complete. Required. */
    void (*handle)(void *context, struct http_request *request);
    /* The peer broke a limit: 413 (body), 431 (headers), 408 (too slow) or 400. Replies. Required.
     */
    void (*refuse)(void *context, struct http_request *request, unsigned status);
    /* The server stops and this request was not answered yet. Replies. Required. */
    void (*abandon)(void *context, struct http_request *request);
    /* The request is over, whether answered or torn down; `user_data` is freed here. NULL: nothing.
     */
    void (*finish)(void *context, struct http_request *request);
};

MUST_CHECK struct http_server *http_server_create(const struct http_server_options *options,
                                                  struct error *error);
/* http_server_stop first, if that was not done. Accepts NULL. */
void http_server_destroy(struct http_server *server);
DEFINE_AUTO(http_server);

/* For the loop: readable descriptor, longest wait (-1: none), and the turn itself. */
int http_server_fd(const struct http_server *server);
int64_t http_server_timeout_ms(const struct http_server *server);
void http_server_turn(struct http_server *server);
/* No new connections; those there go on and are closed after their next answer. */
void http_server_quiesce(struct http_server *server);
/* Requests that are in and not answered yet. */
size_t http_server_open_requests(const struct http_server *server);
/* Connections, idle ones too. */
size_t http_server_connections(const struct http_server *server);
/* Answers what is open through `abandon`, then closes everything. */
void http_server_stop(struct http_server *server);

/* The request, valid until `finish`. */
const char *http_request_method(const struct http_request *request);
const char *
http_request_path(const struct http_request *request); /* as sent: still percent-encoded */
/* NULL when absent; names of headers in any case. The first of several. */
const char *http_request_header(const struct http_request *request, const char *name);
/* The decoded value of a query parameter, "" for one without '=', NULL when absent. */
const char *http_request_query(const struct http_request *request, const char *name);
/* NUL-terminated after `out_length`. */
const char *http_request_body(const struct http_request *request, size_t *out_length);
int64_t http_request_started_us(const struct http_request *request); /* monotonic */
void http_request_set_user_data(struct http_request *request, void *user_data);
void *http_request_user_data(const struct http_request *request);

/* Exactly once per request. Out of memory closes the connection without an answer. For HEAD the
 * body is counted in Content-Length and not sent. */
void http_request_reply(struct http_request *request, const struct http_reply *reply);

/* Misbehaviour on purpose, for stand-ins of other servers; instead of a reply. */
enum http_fault {
    HTTP_FAULT_RESET,    /* RST, nothing sent */
    HTTP_FAULT_CLOSE,    /* FIN, nothing sent */
    HTTP_FAULT_CUT_BODY, /* the head and half of the reply's body, then RST */
};
void http_request_fail(struct http_request *request, enum http_fault fault,
                       const struct http_reply *reply /* for CUT_BODY */);
