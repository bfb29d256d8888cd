/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The client's end of one TLS session over a non-blocking socket, by OpenSSL. The peer's
 * certificate and its name are always verified.
 *
 * Owns:    the session; the descriptor stays the caller's.
 * Threads: one at a time.
 * Blocks:  never, but for reading the files in tls_create.
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

struct tls_files {           /* PEM; a session is made with what they hold then */
    const char *ca;          /* who signs the server's certificate; NULL: the system's. Read once
                              * for all sessions, until it changes. */
    const char *certificate; /* ours, with its chain, for who asks; NULL: none */
    const char *key;
};

/* `host` is a name or a numeric address. ERROR_CONFIG when a file cannot be used. */
MUST_CHECK struct tls *tls_create(int fd, const char *host, const struct tls_files *files,
                                  struct error *error);
void tls_destroy(struct tls *tls); /* accepts NULL */

enum { TLS_NAME_BYTES = 256 };
/* A name or address that the first certificate in a PEM file is for, so that who reaches its server
 * by another way can ask for it. Blocks for the file. ERROR_CONFIG. */
MUST_CHECK bool tls_certificate_name(const char *path, char name[TLS_NAME_BYTES],
                                     struct error *error);

/* Of a session that another library made with OpenSSL, an SSL: whether HTTP/2 was agreed on. */
bool tls_speaks_http2(void *session);

enum stream_status tls_handshake(struct tls *tls, bool *out_wants_write, struct error *error);
enum stream_status tls_read(struct tls *tls, char *bytes, size_t size, size_t *out_length,
                            struct error *error);
enum stream_status tls_write(struct tls *tls, const char *bytes, size_t length, size_t *out_length,
                             struct error *error);
