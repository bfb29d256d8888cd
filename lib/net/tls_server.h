/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The server's end of TLS, by GnuTLS, which libmicrohttpd uses: certificate, key and the authority
 * of clients' certificates from files that may change. A session keeps what it began with.
 *
 * Owns:    what was read; a session's share is kept until it is released.
 * Threads: any; refresh from one at a time.
 * Blocks:  create and refresh read the files; nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct tls_server;
struct tls_identity;

struct tls_server_files {
    const char *certificate; /* PEM, the server's own first, then those up to its authority */
    const char *key;         /* PEM, without a passphrase */
    const char *client_ca;   /* PEM: who may sign clients' certificates; NULL: none are asked for */
};

/* ERROR_CONFIG names the file and what is wrong with it. The paths are copied. */
MUST_CHECK struct tls_server *tls_server_create(const struct tls_server_files *files,
                                                struct error *error);
void tls_server_destroy(struct tls_server *server); /* accepts NULL; no session is left */
DEFINE_AUTO(tls_server);

enum tls_refresh { TLS_FILES_SAME, TLS_FILES_RENEWED, TLS_FILES_BROKEN };
/* Reads the files again. BROKEN, with `error`: what was read before stays in use. */
enum tls_refresh tls_server_refresh(struct tls_server *server, struct error *error);

struct tls_server_status {
    int64_t expires_at_ms; /* wall clock: the server's certificate */
    uint64_t renewals;
    char reason[ERROR_MESSAGE_BYTES]; /* why the last refresh kept the old; "": it did not */
};
void tls_server_status(struct tls_server *server, struct tls_server_status *out);

/* Gives a session of GnuTLS (gnutls_session_t), before its handshake, the newest identity. NULL:
 * out of memory. */
MUST_CHECK struct tls_identity *tls_server_equip(struct tls_server *server, void *session);
void tls_identity_release(struct tls_identity *take_identity); /* accepts NULL */
/* Whether the files have changed since the session began: it should end soon. */
bool tls_identity_is_replaced(const struct tls_identity *identity);

enum tls_peer {
    TLS_PEER_UNKNOWN,  /* it has shown no certificate, or none was asked for */
    TLS_PEER_VERIFIED, /* the authority signed it, for clients, and it is valid now */
    TLS_PEER_REFUSED,
};
enum { TLS_REASON_BYTES = 256 };
/* After the handshake. `reason`: why it is refused, one sentence. */
enum tls_peer tls_server_judge_peer(void *session, char reason[TLS_REASON_BYTES]);

/* TLS 1.2 and 1.3 with forward secrecy, as GnuTLS writes it. */
extern const char tls_server_priorities[];
