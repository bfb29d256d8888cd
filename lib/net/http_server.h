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
 * Owns:    the listener it is given, connections, requests.
 * Threads: one, the loop's.
 * Blocks:  http_server_stop, for at most half a second; nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/http_reply.h"
#include "lib/net/listener.h"

struct budget;
struct http_server;
struct http_request;
struct tls_server;

enum http_note {
    HTTP_NOTE_FULL,         /* the last place is taken */
    HTTP_NOTE_ROOM,         /* an eighth of them is free again */
    HTTP_NOTE_EVICTED,      /* a connection was closed for a new one */
    HTTP_NOTE_ADDRESS_FULL, /* one was turned away: its `address` has as many as it may */
    HTTP_NOTE_PLAIN,        /* one of `address` spoke HTTP without TLS: `plain_answer` */
};

struct http_server_options {
    struct listener listener; /* taken, also on failure */
    size_t body_bytes_max;
    struct budget *bodies; /* of all bodies that are longer than a few KiB; borrowed; NULL: none */
    /* Request line and headers, 64 more for each header; an idle connection takes it too. */
    size_t header_bytes_max;
    /* For one more the longest idle one is closed, or one whose request or answer has not come
     * through in a tenth of its time (http_connections.h); without any it waits in the listening
     * socket's queue. */
    unsigned connections_max;
    /* One more of an address closes its longest idle one, or is turned away. 0: no limit. */
    unsigned connections_per_address_max;
    /* No byte either way; from an answer to the next request line, which each answer announces as
     * Keep-Alive: timeout=N. */
    unsigned idle_timeout_s;
    /* From the request line to the complete request; from the accept to the first request line. Who
     * is slower is cut off without an answer. */
    unsigned request_timeout_ms;
    const char *tls_certificate_pem; /* borrowed for the call; both or neither */
    const char *tls_key_pem;
    struct tls_server *tls;   /* instead of the two, which may change; borrowed: outlives us */
    const char *plain_answer; /* whole, to HTTP on a TLS listener; borrowed; NULL: none */
    void *context;
    /* The head is in, the body is not. May reply (then a body is not read, and the connection
     * closed) or return. NULL: nothing. */
    void (*begin)(void *context, struct http_request *request);
    /* The request is complete. Required. */
    void (*handle)(void *context, struct http_request *request);
    /* 413 (the body is too long), 431 (the head is), 400 (it is ambiguous), 503 (`bodies` is used
     * up). Replies. Required. What is not HTTP or far over a limit libmicrohttpd answers itself. */
    void (*refuse)(void *context, struct http_request *request, unsigned status);
    /* The server stops and this request is complete and not answered yet. Replies. Required. */
    void (*abandon)(void *context, struct http_request *request);
    /* Connections wait for want of descriptors or memory, or not any longer. NULL: nothing. */
    void (*starve)(void *context, bool is_starved);
    void (*note)(void *context, enum http_note note, const char *address); /* NULL: nobody counts */
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
const char *http_request_path(const struct http_request *request); /* still percent-encoded */
/* NULL when absent; names of headers in any case. The first of several. */
const char *http_request_header(const struct http_request *request, const char *name);
/* A query parameter, decoded ('+' is a space); "" for one without '='; NULL when absent. */
const char *http_request_query(const struct http_request *request, const char *name);
/* NUL-terminated after `out_length`. */
const char *http_request_body(const struct http_request *request, size_t *out_length);
void http_request_drop_body(struct http_request *request);           /* it is not needed any more */
int64_t http_request_started_us(const struct http_request *request); /* monotonic */
enum { HTTP_ADDRESS_TEXT_BYTES = 64 };
/* Who is at the other end: "10.0.0.7:51234", "[::1]:51234", "uid 1000" at a unix socket, or
 * "unknown" when it has gone. */
void http_request_address(const struct http_request *request, char text[HTTP_ADDRESS_TEXT_BYTES]);
void http_request_set_user_data(struct http_request *request, void *user_data);
void *http_request_user_data(const struct http_request *request);

/* Exactly once per request. Out of memory, or a line break in a header, closes the connection
 * without an answer. For HEAD the body is counted in Content-Length and not sent. */
void http_request_reply(struct http_request *request, const struct http_reply *reply);
