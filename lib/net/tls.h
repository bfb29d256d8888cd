/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The client's end of one TLS session over a non-blocking socket, by OpenSSL. The peer's
 * certificate and its name are always verified.
 *
 * Owns:    the session; the descriptor stays the caller's.
 * Threads: one at a time.
 * Blocks:  never, but for reading the file of certificate authorities in tls_create.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

enum stream_status {
    STREAM_DONE,
    STREAM_AGAIN,  /* nothing now: poll the descriptor */
    STREAM_ENDED,  /* the peer closed it */
    STREAM_FAILED, /* `error` says why */
};

struct tls;

/* `host` is a name or a numeric address. ERROR_CONFIG when `ca_file` cannot be used. */
MUST_CHECK struct tls *tls_create(int fd, const char *host, const char *ca_file,
                                  struct error *error);
void tls_destroy(struct tls *tls); /* accepts NULL */

enum stream_status tls_handshake(struct tls *tls, bool *out_wants_write, struct error *error);
enum stream_status tls_read(struct tls *tls, char *bytes, size_t size, size_t *out_length,
                            struct error *error);
enum stream_status tls_write(struct tls *tls, const char *bytes, size_t length, size_t *out_length,
                             struct error *error);
