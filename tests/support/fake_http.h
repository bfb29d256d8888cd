/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An HTTP/1.1 server over bare sockets that misbehaves on request.
 *
 * Owns:    its listening socket (a port of the loopback) and a thread per connection.
 * Threads: one owner; the script runs on the server's threads, one call at a time.
 * Blocks:  stop, until its threads have ended.
 */
#pragma once

#include <stddef.h>

#include "lib/base/ownership.h"

struct fake_http;

struct fake_request { /* borrowed for the call */
    const char *head; /* request line and header lines, NUL-terminated */
    const char *body; /* NUL-terminated */
    size_t body_length;
};

enum fake_act {
    FAKE_ANSWER,
    FAKE_DRIP,     /* the answer byte by byte */
    FAKE_CUT_BODY, /* half of the body, then the end of the connection */
    FAKE_RESET,    /* RST, nothing sent */
    FAKE_CLOSE,    /* FIN, nothing sent */
    FAKE_GARBAGE,  /* not HTTP at all */
    FAKE_ENDLESS,  /* a body without end */
    FAKE_SILENT,   /* never answers */
};

struct fake_answer {
    enum fake_act act;
    unsigned status;     /* 0: 200 */
    const char *headers; /* whole lines with CRLF, or NULL; outlives the call, as the next */
    const char *body;    /* NULL: "" */
    unsigned delay_ms;   /* before anything is done; for FAKE_DRIP before each byte too */
};

typedef struct fake_answer (*fake_http_script)(void *context, const struct fake_request *request);

struct fake_http *fake_http_start(fake_http_script script, void *context);
void fake_http_stop(struct fake_http *server); /* accepts NULL */
static inline void fake_http_destroy(struct fake_http *server)
{
    fake_http_stop(server);
}
DEFINE_AUTO(fake_http);

unsigned short fake_http_port(const struct fake_http *server);
unsigned fake_http_connections(struct fake_http *server);      /* accepted so far */
unsigned fake_http_connections_peak(struct fake_http *server); /* open at the same time */
unsigned fake_http_requests(struct fake_http *server);         /* read completely so far */
void fake_http_close_connections(struct fake_http *server);

/* The value of a header line of the request, or NULL; in a buffer that the next call overwrites. */
const char *fake_header(const struct fake_request *request, const char *name);
