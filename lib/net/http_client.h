/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Many HTTPS transfers at once over one libcurl multi handle; connections are reused, HTTP/2 is
 * used where the server offers it, the certificate is always verified and redirects are not
 * followed. A transfer goes through a proxy of the environment when its caller says so, who asks
 * http_proxy_find.
 *
 * Owns:    its transfers and connections; the event loop that they are watched in is borrowed.
 * Threads: one, the loop's. curl_global_init runs once per process in http_client_startup, before
 *          the first thread.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct event_loop;
struct http_client;

struct http_client_options {
    const char *ca_file;            /* borrowed for the call; NULL: the system's */
    const char *client_certificate; /* likewise: PEM files to show to who asks; NULL: none */
    const char *client_key;
    unsigned connections_max;       /* to all hosts */
    unsigned connection_life_max_s; /* a connection is not reused after this: addresses change */
    unsigned connect_timeout_ms;    /* for name, connection and TLS together */
};

enum http_outcome {
    HTTP_ANSWERED,      /* status and complete body are there */
    HTTP_NOT_RESOLVED,  /* DNS */
    HTTP_NOT_CONNECTED, /* refused, unreachable, or all connections stayed taken */
    HTTP_TLS_FAILED,    /* certificate or handshake */
    HTTP_TIMED_OUT,
    HTTP_BROKEN, /* reset, cut body, protocol error */
    HTTP_ANSWER_TOO_LARGE,
    HTTP_BAD_CODING,    /* gzip or the like that cannot be undone; `status` is there */
    HTTP_PROXY_REFUSED, /* the proxy answered CONNECT with a 4xx that no repetition mends */
    HTTP_NOT_SENT,      /* surely not processed: it may be sent again at once */
};

struct http_exchange { /* what came of a transfer; borrowed for the callback */
    enum http_outcome outcome;
    unsigned status;  /* 0 unless a status line came */
    const char *body; /* NUL-terminated */
    size_t body_length;
    const char *content_type; /* "" when absent */
    const char *retry_after;  /* NULL when absent */
    const char *link;         /* likewise: where the next page is */
    const char *date;         /* likewise: the peer's clock */
    const char *detail;       /* libcurl's words for a failure, and the proxy; "" otherwise */
    int64_t duration_us;      /* waiting for a connection included */
};

typedef void (*http_client_done)(void *context, const struct http_exchange *exchange);

struct http_transfer {
    const char *url;
    const char *unix_socket; /* path to connect to instead of the URL's host; NULL: none */
    const char *connect_to;  /* "host:port" instead of the URL's, whose name the server must prove;
                              * NULL: the URL's. Copied. */
    const char *proxy;  /* as http_proxy_find names it, for texts: libcurl finds it again. NULL:
                         * none is used. Borrowed: outlives the transfer. */
    const char *method; /* NULL: GET without a body, POST with one */
    const char *body;   /* NULL: none. Copied. */
    size_t body_length;
    const char *const *headers; /* "Name: value", ends with NULL; copied */
    const char *user_agent;
    unsigned timeout_ms;   /* the whole transfer, connecting included */
    int64_t send_until_ms; /* monotonic: the request does not leave later; 0: within the time-out */
    size_t answer_bytes_max;
    http_client_done done; /* called once from http_client_turn or http_client_abort_all */
    void *context;
};

MUST_CHECK bool http_client_startup(struct error *error);
void http_client_cleanup(void);

/* The loop outlives the client. */
MUST_CHECK struct http_client *http_client_create(const struct http_client_options *options,
                                                  struct event_loop *loop, struct error *error);
void http_client_destroy(struct http_client *client); /* aborts what runs; accepts NULL */
DEFINE_AUTO(http_client);

/* False: nothing was started and `done` is not called. */
MUST_CHECK bool http_client_start(struct http_client *client, const struct http_transfer *transfer,
                                  struct error *error);
/* Before each poll of the loop: the longest wait until http_client_turn; -1: no limit. */
int64_t http_client_timeout_ms(const struct http_client *client);
/* After each poll: moves on what was started and what is late, and calls `done` for the transfers
 * that ended. `done` may start others. */
void http_client_turn(struct http_client *client);
/* Ends all transfers with HTTP_BROKEN. */
void http_client_abort_all(struct http_client *client);
