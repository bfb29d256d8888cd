/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/http2_tls.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

/* Both are OpenSSL's under another name, so that no header has to include it. */
static SSL_CTX *context_of(struct http2_tls *tls)
{
    return (SSL_CTX *)tls;
}

static SSL *ssl_of(struct http2_tls_session *session)
{
    return (SSL *)session;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *offered, unsigned offered_length, void *context)
{
    static const unsigned char wanted[] = "\x02h2";
    (void)ssl;
    (void)context;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_length, wanted, sizeof wanted - 1, offered,
                              offered_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static BIO *open_text(const struct buffer *text)
{
    assert(text->length <= INT_MAX);
    return BIO_new_mem_buf(text->bytes, (int)text->length);
}

static bool use_certificate(SSL_CTX *context, const struct buffer *text)
{
    BIO *source = open_text(text);
    X509 *certificate = source == NULL ? NULL : PEM_read_bio_X509(source, NULL, NULL, NULL);
    bool is_used = certificate != NULL && SSL_CTX_use_certificate(context, certificate) == 1;
    X509_free(certificate);
    BIO_free(source);
    return is_used;
}

static bool use_key(SSL_CTX *context, const struct buffer *text)
{
    BIO *source = open_text(text);
    EVP_PKEY *key = source == NULL ? NULL : PEM_read_bio_PrivateKey(source, NULL, NULL, NULL);
    bool is_used = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(source);
    return is_used;
}

struct http2_tls *http2_tls_create(const struct buffer *certificate, const struct buffer *key,
                                   struct error *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    if (!use_certificate(context, certificate) || !use_key(context, key)) {
        ERR_clear_error();
        (void)error_set(error, ERROR_CONFIG, "certificate and key cannot be used for HTTP/2");
        SSL_CTX_free(context);
        return NULL;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return (struct http2_tls *)context;
}

void http2_tls_destroy(struct http2_tls *tls)
{
    SSL_CTX_free(context_of(tls)); /* sessions hold it, too */
}

struct http2_tls_session *http2_tls_accept(struct http2_tls *tls, int fd)
{
    SSL *ssl = SSL_new(context_of(tls));
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return (struct http2_tls_session *)ssl;
}

void http2_tls_end(struct http2_tls_session *take_session)
{
    SSL *ssl = ssl_of(take_session);
    if (ssl != NULL && SSL_is_init_finished(ssl))
        (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

static enum stream_status status_of(SSL *ssl, int result)
{
    int reason = SSL_get_error(ssl, result);
    ERR_clear_error();
    switch (reason) {
    case SSL_ERROR_NONE:
        return STREAM_DONE;
    case SSL_ERROR_WANT_READ: /* TLS 1.3 writes without reading, and the reverse, but for the
                               * handshake: the loop reports either */
    case SSL_ERROR_WANT_WRITE:
        return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return STREAM_ENDED;
    default:
        return STREAM_FAILED;
    }
}

enum stream_status http2_tls_read(struct http2_tls_session *session, char *bytes, size_t size,
                                  size_t *out_length)
{
    SSL *ssl = ssl_of(session);
    ERR_clear_error();
    return status_of(ssl, SSL_read_ex(ssl, bytes, size, out_length));
}

enum stream_status http2_tls_write(struct http2_tls_session *session, const char *bytes,
                                   size_t length, size_t *out_length)
{
    SSL *ssl = ssl_of(session);
    ERR_clear_error();
    return status_of(ssl, SSL_write_ex(ssl, bytes, length, out_length));
}
