/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Many HTTPS transfers at once over one libcurl multi handle; connections are reused, HTTP/2 is
 * used where the server offers it, the certificate is always verified and redirects are not
 * followed.
 * The proxy variables of the environment count as they do for curl(1): https_proxy, HTTPS_PROXY,
 * http_proxy, all_proxy, no_proxy.
 *
 * Owns:    its transfers and connections.
 * Threads: http_client_wake from any; everything else from one. curl_global_init runs once per
 *          process in http_client_startup, before the first thread.
 * Blocks:  http_client_poll, up to its time-out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct http_client;

struct http_client_options {
    const char *ca_file;            /* borrowed for the call; NULL: the system's */
    const char *client_certificate; /* likewise: PEM files to show to who asks; NULL: none */
    const char *client_key;
    unsigned connections_max;       /* to all hosts */
    unsigned connection_life_max_s; /* a connection is not reused after this: addresses change */
    unsigned connect_timeout_ms;
};

enum http_outcome {
    HTTP_ANSWERED,      /* status and complete body are there */
    HTTP_NOT_RESOLVED,  /* DNS */
    HTTP_NOT_CONNECTED, /* refused, unreachable, or all connections stayed taken */
    HTTP_TLS_FAILED,    /* certificate or handshake */
    HTTP_TIMED_OUT,
    HTTP_BROKEN, /* reset, cut body, protocol error */
    HTTP_ANSWER_TOO_LARGE,
};

struct http_exchange { /* what came of a transfer; borrowed for the callback */
    enum http_outcome outcome;
    unsigned status;  /* 0 unless a status line came */
    const char *body; /* NUL-terminated */
    size_t body_length;
    const char *content_type; /* "" when absent */
    const char *retry_after;  /* NULL when absent */
    const char *detail;       /* libcurl's words for a failure, "" otherwise */
    int64_t duration_us;      /* waiting for a connection included */
};

typedef void (*http_client_done)(void *context, const struct http_exchange *exchange);

struct http_transfer {
    const char *url;
    const char *unix_socket; /* path to connect to instead of the URL's host; NULL: none */
    const char *body;        /* NULL: GET; otherwise POST. Copied. */
    size_t body_length;
    const char *const *headers; /* "Name: value", ends with NULL; copied */
    const char *user_agent;
    unsigned timeout_ms; /* the whole transfer, connecting included */
    size_t answer_bytes_max;
    http_client_done done; /* called once from http_client_poll or http_client_abort_all */
    void *context;
};

struct http_poll_fd {
    int fd; /* -1: ignored */
    bool want_read, want_write;
    bool is_readable, is_writable; /* set by http_client_poll */
};

MUST_CHECK bool http_client_startup(struct error *error);
void http_client_cleanup(void);

MUST_CHECK struct http_client *http_client_create(const struct http_client_options *options,
                                                  struct error *error);
void http_client_destroy(struct http_client *client); /* aborts what runs; accepts NULL */
DEFINE_AUTO(http_client);

/* False: nothing was started and `done` is not called. */
MUST_CHECK bool http_client_start(struct http_client *client, const struct http_transfer *transfer,
                                  struct error *error);
size_t http_client_running(const struct http_client *client);
/* One turn: waits for the transfers, `extra` descriptors, a wake-up or the time-out; moves the
 * transfers on; calls `done` for those that ended. `done` may start others. */
MUST_CHECK bool http_client_poll(struct http_client *client, struct http_poll_fd *extra,
                                 size_t extra_count, int64_t timeout_ms, struct error *error);
void http_client_wake(struct http_client *client);
/* Ends all transfers with HTTP_BROKEN. */
void http_client_abort_all(struct http_client *client);
