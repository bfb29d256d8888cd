/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One HTTP/2 connection apart from its socket, by nghttp2: bytes of the peer go in, bytes for the
 * peer come out, and SEEK's two endpoints answer in between (RFC 9113).
 *
 * Owns:    its streams and their exchanges.
 * Threads: one, the loop's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

struct http2_session;
struct state;

enum { HTTP2_BODY_BYTES_MAX = 1 << 20, HTTP2_HEADERS_BYTES_MAX = 32 * 1024 };

enum http2_end {
    HTTP2_OPEN,
    HTTP2_CLOSED, /* once what http2_session_give has is sent */
    HTTP2_RESET,  /* at once */
};

/* NULL: out of memory. `state` is borrowed and outlives it. */
MUST_CHECK struct http2_session *http2_session_create(struct state *state);
/* Its exchanges end without an answer. Accepts NULL. */
void http2_session_destroy(struct http2_session *session);

/* False: this is not HTTP/2, or memory is short; the connection is to be closed. */
MUST_CHECK bool http2_session_take(struct http2_session *session, const char *bytes, size_t length);
/* What to send next, valid until the next call; 0: nothing, as yet. */
size_t http2_session_give(struct http2_session *session, const char **out_bytes);
enum http2_end http2_session_end(const struct http2_session *session);
