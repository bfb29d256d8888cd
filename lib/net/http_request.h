/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of http_server: one request, apart from its transport.
 *
 * Owns:    its body and, until it is queued, its response.
 * Threads: one, the server's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/net/http_head.h"
#include "lib/net/http_server.h"

struct sockaddr;

/*   arriving ──► handled ──► answered
 *      └─────────────────────▲          (by begin, or refused) */
enum http_request_state { HTTP_REQUEST_ARRIVING, HTTP_REQUEST_HANDLED, HTTP_REQUEST_ANSWERED };

enum { KEEP_ALIVE_BYTES = sizeof "timeout=4294967295" };

/* The requests of a server. */
struct http_requests {
    struct http_request *suspended;    /* list */
    size_t open;                       /* the head is in, no answer yet */
    size_t undelivered;                /* answered, and the answer is still on its way out */
    bool has_resumed;                  /* since it was last set to false */
    bool is_quiesced;                  /* each answer closes its connection */
    char keep_alive[KEEP_ALIVE_BYTES]; /* the header's value: "timeout=74" */
};

struct http_request {
    struct http_requests *requests;     /* borrowed: outlives us */
    struct http_connection *connection; /* borrowed: outlives us */
    struct MHD_Connection *handle;      /* the same to libmicrohttpd */
    const char *method;                 /* borrowed from it; NULL until the head is in */
    enum http_request_state state;
    unsigned refusal; /* the status, when target or body broke a limit; 0 otherwise */
    bool is_suspended;
    struct http_request *previous, *next; /* among the suspended */
    struct buffer body;
    struct budget *bodies; /* borrowed; NULL: none */
    size_t charged;        /* to the budget, for the body */
    int64_t started_us;
    void *user_data;
    /* Once answered. Without a response the connection is closed. */
    struct MHD_Response *response; /* owned; NULL again when it is queued */
    unsigned status;
    bool is_last;  /* the answer ends the connection */
    bool is_early; /* queued before the body was read */
    char *query;   /* decoded: http_query.h; behind the path */
    size_t query_bytes;
    char path[]; /* as sent, without the query */
};

/* NULL when memory is short. */
struct http_request *http_request_create(const char *target,
                                         const struct http_server_options *options);
/* The response must be gone. */
void http_request_destroy(struct http_request *request);
/* The only writer of `state`. */
void http_request_move(struct http_request *request, enum http_request_state next);
/* Until it is answered. */
void http_request_suspend(struct http_request *request);
/* The answer; `take_response` may be NULL: then the connection is closed without one. */
void http_request_settle(struct http_request *request, struct MHD_Response *take_response,
                         unsigned status);
/* The status that a complete head is refused with, or 0. */
unsigned http_request_judge_head(const struct http_request *request, const struct http_head *head,
                                 const char *version, size_t head_bytes,
                                 const struct http_server_options *options);
/* Keeps a piece of the body; of one that is too long, only that it is. False: out of memory. */
bool http_request_take_body(struct http_request *request, const char *bytes, size_t length);

/* As http_request_address says it, but without the user of a unix socket. */
void http_address_write(const struct sockaddr *peer, char text[HTTP_ADDRESS_TEXT_BYTES]);
