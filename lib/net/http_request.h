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

/*   arriving ──► handled ──► answered
 *      └─────────────────────▲          (by begin, or refused) */
enum http_request_state { HTTP_REQUEST_ARRIVING, HTTP_REQUEST_HANDLED, HTTP_REQUEST_ANSWERED };

struct http_request {
    struct http_server *server;         /* borrowed: outlives us */
    struct http_connection *connection; /* borrowed: outlives us */
    struct MHD_Connection *handle;      /* the same to libmicrohttpd */
    const char *method;                 /* borrowed from it; NULL until the head is in */
    enum http_request_state state;
    unsigned refusal; /* the status, when target or body broke a limit; 0 otherwise */
    bool is_suspended;
    struct http_request *previous, *next; /* among the suspended */
    struct buffer body;
    int64_t started_us;
    void *user_data;
    /* Once answered. Without a response the connection is closed. */
    struct MHD_Response *response; /* owned; NULL again when it is queued */
    unsigned status;
    bool is_early; /* queued before the body was read */
    char path[];   /* as sent, without the query */
};

/* NULL when memory is short. */
struct http_request *http_request_create(const char *target, size_t body_bytes_max);
/* The response must be gone. */
void http_request_destroy(struct http_request *request);
/* The only writer of `state`. */
void http_request_move(struct http_request *request, enum http_request_state next);
/* The status that a complete head is refused with, or 0. */
unsigned http_request_judge_head(const struct http_request *request, const struct http_head *head,
                                 const char *version, size_t head_bytes,
                                 const struct http_server_options *options);
/* Keeps a piece of the body; of one that is too long, only that it is. False: out of memory. */
bool http_request_take_body(struct http_request *request, const char *bytes, size_t length);
