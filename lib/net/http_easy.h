/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One HTTP transfer with its libcurl handle: from what is wanted to the handle's options
 * (http_easy_prepare.c), and from what came of it to an exchange. http_client.c drives many of
 * them, each for one transfer after another.
 *
 * Owns:    the handle, and copies of headers and body while it runs.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <sys/queue.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/net/http_client.h"
#include "lib/net/http_sockets.h"

enum { HTTP_EASY_DETAIL_BYTES = 256 /* CURL_ERROR_SIZE */, HTTP_EASY_WORDS_BYTES = 640 };

struct http_easy {
    void *handle;  /* owned: a CURL */
    void *headers; /* owned while it runs, in one piece: curl_slists and their lines */
    size_t headers_bytes;
    void *address;         /* owned: a CURLU, of the URL */
    char *url;             /* owned; NULL: none was set yet */
    void *connect_to;      /* owned while it runs: a list of curl's; NULL: none */
    struct buffer request; /* the body; libcurl reads it in place */
    struct buffer answer;
    struct error failure; /* why it ends by our doing; ERROR_INVALID: it does not */
    bool is_unsent;       /* by that, and surely not processed */
    bool is_parked;       /* the client's: nothing would move it on */
    unsigned sends;       /* how often libcurl was about to send the request */
    int port;             /* ours, of the connection that it was to be sent over first; 0: none */
    bool is_post;
    char detail[HTTP_EASY_DETAIL_BYTES];   /* libcurl's */
    char words[HTTP_EASY_WORDS_BYTES];     /* that, as it is shown */
    struct http_easy_network *network;     /* borrowed */
    const char *proxy;                     /* borrowed; NULL: none */
    bool is_direct;                        /* the handle is set so */
    int64_t prepared_at_us, send_until_us; /* monotonic */
    http_client_done done;
    void *context;
    TAILQ_ENTRY(http_easy) links; /* the client's */
};

TAILQ_HEAD(http_easy_list, http_easy);

struct http_easy_network { /* the same for all transfers of a client; outlives them */
    char *ca_file;         /* NULL: the system's */
    char *client_certificate, *client_key; /* NULL: none */
    struct http_sockets sockets;
    struct http_easy_list running; /* the client's */
    long connect_timeout_ms;
    long connection_life_max_s;
};

/* NULL: out of memory. */
MUST_CHECK struct http_easy *http_easy_create(struct http_easy_network *network);
void http_easy_destroy(struct http_easy *easy);
/* False: out of memory; the transfer can only be destroyed then. */
MUST_CHECK bool http_easy_prepare(struct http_easy *easy, const struct http_transfer *wanted);
/* `code` is a CURLcode. What `out` points to is the transfer's. */
void http_easy_describe(struct http_easy *easy, int code, struct http_exchange *out);
/* Ready for the next prepare; what may hold credentials is forgotten. */
void http_easy_release(struct http_easy *easy);
