/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One non-blocking connection that carries bytes: TCP or unix socket, plain or under TLS.
 *
 * The process ignores SIGPIPE: OpenSSL writes without MSG_NOSIGNAL.
 *
 * Owns:    the descriptor, watched for as long as it lives, and its TLS session; the event loop is
 *          borrowed and outlives it.
 * Threads: one, the loop's.
 * Blocks:  never, but for reading the files in stream_secure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/tls.h"

struct event_loop;
struct stream;

/* Begins to connect; stream_open goes on. */
MUST_CHECK struct stream *stream_connect(struct event_loop *loop, const struct sockaddr *address,
                                         socklen_t length, struct error *error);
/* Resets the connection: what was written and is still on its way does not arrive later. Accepts
 * NULL. */
void stream_destroy(struct stream *stream);
/* Nothing is on its way: it is closed in order when it is destroyed. */
void stream_finish(struct stream *stream);
DEFINE_AUTO(stream);

/* TLS for this stream, before the first stream_open. The certificate must be for `host`, signed by
 * an authority of `files`. */
MUST_CHECK bool stream_secure(struct stream *stream, const char *host,
                              const struct tls_files *files, struct error *error);

/* What is missing is the TLS handshake. */
bool stream_is_connected(const struct stream *stream);
/* Call again after each poll of the loop, until it is not STREAM_AGAIN. */
enum stream_status stream_open(struct stream *stream, struct error *error);

/* Room for a whole TLS record (RFC 8446 section 5.1): nothing stays behind in OpenSSL, so the
 * descriptor is readable for as long as there is something to read. */
enum { STREAM_READ_BYTES_MIN = 16384 };

/* STREAM_DONE: at least one byte was moved. `size` is at least STREAM_READ_BYTES_MIN. A write that
 * ends STREAM_AGAIN has the loop look out for room, until one takes all that it is given. */
enum stream_status stream_read(struct stream *stream, char *bytes, size_t size, size_t *out_length,
                               struct error *error);
enum stream_status stream_write(struct stream *stream, const char *bytes, size_t length,
                                size_t *out_length, struct error *error);

/* Whether it is worth a try: so said the last poll, and nothing since then showed otherwise. */
bool stream_is_readable(const struct stream *stream);
bool stream_is_writable(const struct stream *stream);
