/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The server's end of TLS for HTTP/2, by OpenSSL: libcurl agrees on HTTP/2 in the handshake (ALPN),
 * and who does not is refused there.
 *
 * Owns:    certificate and key; a session its keys. The descriptors stay the caller's.
 * Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/net/tls.h"

struct http2_tls;
struct http2_tls_session;

/* PEM. ERROR_CONFIG when they cannot be used. */
MUST_CHECK struct http2_tls *http2_tls_create(const struct buffer *certificate,
                                              const struct buffer *key, struct error *error);
void http2_tls_destroy(struct http2_tls *tls); /* accepts NULL; sessions may be left */

/* NULL: out of memory. Non-blocking; the handshake is made by the first reads and writes. */
MUST_CHECK struct http2_tls_session *http2_tls_accept(struct http2_tls *tls, int fd);
/* Says good-bye, if the descriptor takes it at once. Accepts NULL. */
void http2_tls_end(struct http2_tls_session *take_session);

enum stream_status http2_tls_read(struct http2_tls_session *session, char *bytes, size_t size,
                                  size_t *out_length);
enum stream_status http2_tls_write(struct http2_tls_session *session, const char *bytes,
                                   size_t length, size_t *out_length);
