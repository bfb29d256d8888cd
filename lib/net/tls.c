/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    SSL *ssl; /* owned */
};

/* The most telling reason of the thread's error queue; empties the queue. */
static const char *queued_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != NULL ? reason : "no reason given";
}

static SSL_CTX *new_context(const char *ca_file, struct error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    /* The protocol above knows where a message ends, so a close without the TLS farewell is a
     * close. Without renegotiation, reading never waits for writing. */
    (void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    bool is_loaded = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                     (ca_file != NULL ? SSL_CTX_load_verify_file(context, ca_file)
                                      : SSL_CTX_set_default_verify_paths(context)) == 1;
    if (!is_loaded) {
        (void)error_set(error, ERROR_CONFIG, "the certificate authorities in %s cannot be used: %s",
                        ca_file != NULL ? ca_file : "the system's store", queued_reason());
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

/* Server name indication is for names only (RFC 6066 section 3); OpenSSL checks an address against
 * the certificate's addresses by itself. */
static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    char name[256]; /* the macro below drops a const */
    (void)snprintf(name, sizeof name, "%s", host);
    return SSL_set1_host(ssl, host) == 1 &&
           (is_address || SSL_set_tlsext_host_name(ssl, name) == 1);
}

struct tls *tls_create(int fd, const char *host, const char *ca_file, struct error *error)
{
    ERR_clear_error();
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    SSL_CTX *context = new_context(ca_file, error);
    if (context == NULL)
        goto fail;
    tls->ssl = SSL_new(context);
    SSL_CTX_free(context); /* the session keeps its own reference */
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 || !expect_host(tls->ssl, host)) {
        (void)error_set(error, ERROR_IO, "TLS: %s", queued_reason());
        goto fail;
    }
    return tls;
fail:
    tls_destroy(tls);
    return NULL;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static enum stream_status outcome(const struct tls *tls, int result, struct error *error)
{
    int system_error = errno;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return STREAM_DONE;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_ENDED;
    case SSL_ERROR_SYSCALL:
        (void)error_set(error, ERROR_IO, "TLS: %s", strerrordesc_np(system_error));
        return STREAM_FAILED;
    default:
        (void)error_set(error, ERROR_IO, "TLS: %s", queued_reason());
        return STREAM_FAILED;
    }
}

enum stream_status tls_handshake(struct tls *tls, bool *out_wants_write, struct error *error)
{
    ERR_clear_error();
    enum stream_status status = outcome(tls, SSL_connect(tls->ssl), error);
    *out_wants_write = status == STREAM_AGAIN && SSL_want_write(tls->ssl);
    long verdict = SSL_get_verify_result(tls->ssl);
    if (status == STREAM_FAILED && verdict != X509_V_OK)
        (void)error_set(error, ERROR_IO, "TLS: the server's certificate is refused: %s",
                        X509_verify_cert_error_string(verdict));
    return status;
}

enum stream_status tls_read(struct tls *tls, char *bytes, size_t size, size_t *out_length,
                            struct error *error)
{
    ERR_clear_error();
    return outcome(tls, SSL_read_ex(tls->ssl, bytes, size, out_length), error);
}

enum stream_status tls_write(struct tls *tls, const char *bytes, size_t length, size_t *out_length,
                             struct error *error)
{
    ERR_clear_error();
    return outcome(tls, SSL_write_ex(tls->ssl, bytes, length, out_length), error);
}
