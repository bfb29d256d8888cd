/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 server over libmicrohttpd, driven by the caller's loop (external epoll mode).
 *
 * A request reaches `handle` when its body is complete. The handler answers at once or later: until
 * http_request_reply the connection is suspended and costs no processor time; that its peer has
 * gone is noticed afterwards. Later replies come from the same thread. Each request gets exactly
 * one reply; what is unanswered at http_server_stop gets the reply that `abandon` gives.
 *
 * Owns:    the listening descriptor it is given, connections, requests.
 * Threads: one, the loop's.
 * Blocks:  http_server_stop, for at most half a second; nothing else.
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
    size_t header_bytes_max;              /* request line and headers together */
    unsigned connections_max;             /* more wait in the listening socket's queue */
    unsigned connections_per_address_max; /* more are closed at once; 0: no limit */
    unsigned idle_timeout_s; /* no byte either way; from an answer to the next request line */
    /* From the request line to the complete request; from the accept to the first request line. Who
     * is slower is cut off without an answer. */
    unsigned request_timeout_ms;
    const char *tls_certificate_pem; /* borrowed for the call; both or neither */
    const char *tls_key_pem;
    void *context;
    /* The head is in, the body is not. May reply (then a body is not read, and the connection
     * closed) or return. NULL: nothing. */
    void (*begin)(void *context, struct http_request *request);
    /* The request is complete. Required. */
    void (*handle)(void *context, struct http_request *request);
    /* The peer broke a limit: 413 (body), 431 (headers) or 400 (an ambiguous head). Replies.
     * Required. libmicrohttpd by itself answers what is not HTTP or far over a limit. */
    void (*refuse)(void *context, struct http_request *request, unsigned status);
    /* The server stops and this request is complete and not answered yet. Replies. Required. */
    void (*abandon)(void *context, struct http_request *request);
    /* Connections wait for want of descriptors or memory, or not any longer. NULL: nothing. */
    void (*starve)(void *context, bool is_starved);
    /* The request is over, answered or torn down; `user_data` is freed here. NULL: nothing. */
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
/* No new connections beyond those that wait already; each is closed after its next answer. Not from
 * a callback. */
void http_server_quiesce(struct http_server *server);
/* Requests whose head is in and that are not answered yet. */
size_t http_server_open_requests(const struct http_server *server);
/* Connections, idle ones too. */
size_t http_server_connections(const struct http_server *server);
/* Answers what is open through `abandon`, then closes everything; a request that is still arriving
 * is cut off. Not from a callback. */
void http_server_stop(struct http_server *server);

/* The request, valid until `finish`. */
const char *http_request_method(const struct http_request *request);
/* As sent: still percent-encoded. */
const char *http_request_path(const struct http_request *request);
/* NULL when absent; names of headers in any case. The first of several. */
const char *http_request_header(const struct http_request *request, const char *name);
/* The decoded value of a query parameter ('+' is a space), "" for one without '=', NULL when
 * absent. */
const char *http_request_query(const struct http_request *request, const char *name);
/* NUL-terminated after `out_length`. */
const char *http_request_body(const struct http_request *request, size_t *out_length);
int64_t http_request_started_us(const struct http_request *request); /* monotonic */
void http_request_set_user_data(struct http_request *request, void *user_data);
void *http_request_user_data(const struct http_request *request);

/* Exactly once per request. Out of memory, or a line break in a header, closes the connection
 * without an answer. For HEAD the body is counted in Content-Length and not sent. */
void http_request_reply(struct http_request *request, const struct http_reply *reply);

/* Misbehaviour on purpose, for stand-ins of other servers; instead of a reply. */
enum http_fault {
    HTTP_FAULT_RESET,    /* RST, nothing sent */
    HTTP_FAULT_CLOSE,    /* FIN, nothing sent */
    HTTP_FAULT_CUT_BODY, /* the head and half of the reply's body, then RST */
};
void http_request_fail(struct http_request *request, enum http_fault fault,
                       const struct http_reply *reply /* for CUT_BODY */);
