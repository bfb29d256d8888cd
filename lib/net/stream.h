/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One non-blocking connection that carries bytes: TCP or unix socket, plain or under TLS.
 *
 * The process ignores SIGPIPE: OpenSSL writes without MSG_NOSIGNAL.
 *
 * Owns:    the descriptor and its TLS session.
 * Threads: one at a time.
 * Blocks:  never, but for reading the file of certificate authorities in stream_secure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/tls.h"

struct stream;

/* Begins to connect; stream_open goes on. */
MUST_CHECK struct stream *stream_connect(const struct sockaddr *address, socklen_t length,
                                         struct error *error);
void stream_destroy(struct stream *stream); /* accepts NULL */
DEFINE_AUTO(stream);

/* TLS for this stream, before the first stream_open. The certificate must be for `host`, signed by
 * an authority of `ca_file` (NULL: the system's). */
MUST_CHECK bool stream_secure(struct stream *stream, const char *host, const char *ca_file,
                              struct error *error);

/* Call again whenever the descriptor is ready, until it is not STREAM_AGAIN. */
enum stream_status stream_open(struct stream *stream, struct error *error);

/* Room for a whole TLS record (RFC 8446 section 5.1): nothing stays behind in OpenSSL, so the
 * descriptor is readable for as long as there is something to read. */
enum { STREAM_READ_BYTES_MIN = 16384 };

/* STREAM_DONE: at least one byte was moved. `size` is at least STREAM_READ_BYTES_MIN. */
enum stream_status stream_read(struct stream *stream, char *bytes, size_t size, size_t *out_length,
                               struct error *error);
enum stream_status stream_write(struct stream *stream, const char *bytes, size_t length,
                                size_t *out_length, struct error *error);

int stream_fd(const struct stream *stream);
/* While opening: what to poll for; reading otherwise. */
bool stream_wants_write(const struct stream *stream);
