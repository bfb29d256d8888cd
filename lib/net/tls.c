/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/ascii.h"
#include "lib/base/file_version.h"
#include "lib/base/mutex.h"

struct tls {
    SSL *ssl; /* owned */
    bool has_certificate;
};

/* The most telling reason of the thread's error queue; empties the queue. */
static const char *queued_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != NULL ? reason : "no reason given";
}

/* Nobody is there to type one. */
static int give_no_passphrase(char *text, int size, int is_for_writing, void *context)
{
    (void)is_for_writing;
    (void)context;
    if (size > 0)
        text[0] = '\0';
    return 0;
}

/* OpenSSL says of a file that is not there, or that we may not read, no more than "system lib". */
static bool may_read(const char *path, struct error *error)
{
    return access(path, R_OK) == 0 ||
           error_set(error, ERROR_CONFIG, "cannot read %s: %s", path, strerrordesc_np(errno));
}

static bool load_pair(SSL_CTX *context, const struct tls_files *files, struct error *error)
{
    if (files->certificate == NULL)
        return true;
    if (!may_read(files->certificate, error) || !may_read(files->key, error))
        return false;
    SSL_CTX_set_default_passwd_cb(context, give_no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return error_set(error, ERROR_CONFIG, "the certificate in %s cannot be used: %s",
                         files->certificate, queued_reason());
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) == 1)
        return true;
    return error_set(error, ERROR_CONFIG,
                     "the key in %s cannot be used with the certificate in %s: %s", files->key,
                     files->certificate, queued_reason());
}

/* The authorities of one file, the same for all connections of the process until it changes. */
static struct {
    struct mutex lock;
    char *path;        /* owned; NULL: nothing is kept */
    X509_STORE *store; /* held */
    struct file_version version;
} kept = {.lock = {.handle = PTHREAD_MUTEX_INITIALIZER}};

/* NULL: they have to be read. The caller frees its share. */
static X509_STORE *take_kept(const char *path, const struct file_version *version)
{
    X509_STORE *store = NULL;
    mutex_lock(&kept.lock);
    if (kept.path != NULL && strcmp(kept.path, path) == 0 &&
        file_version_is_same(&kept.version, version)) {
        store = kept.store;
        (void)X509_STORE_up_ref(store); /* only counts */
    }
    mutex_unlock(&kept.lock);
    return store;
}

static void keep(const char *path, X509_STORE *store, const struct file_version *version)
{
    char *new_path = strdup(path);
    if (new_path == NULL)
        return; /* the next connection reads them again */
    (void)X509_STORE_up_ref(store);
    mutex_lock(&kept.lock);
    char *old_path = kept.path;
    X509_STORE *old_store = kept.store;
    kept.path = new_path;
    kept.store = store;
    kept.version = *version;
    mutex_unlock(&kept.lock);
    free(old_path);
    X509_STORE_free(old_store);
}

static bool trust_file(SSL_CTX *context, const char *path)
{
    struct stat status;
    /* Looked at before it is read: what changes meanwhile has another version next time. */
    struct file_version version = {.inode = 0};
    if (stat(path, &status) == 0)
        version = file_version_of(&status);
    X509_STORE *store = take_kept(path, &version);
    if (store == NULL) {
        store = X509_STORE_new();
        if (store == NULL || X509_STORE_load_file(store, path) != 1) {
            X509_STORE_free(store);
            return false;
        }
        keep(path, store, &version);
    }
    SSL_CTX_set_cert_store(context, store); /* takes it */
    return true;
}

static SSL_CTX *new_context(const struct tls_files *files, struct error *error)
{
    const char *ca_file = files->ca;
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
                     (ca_file != NULL ? trust_file(context, ca_file)
                                      : SSL_CTX_set_default_verify_paths(context) == 1);
    if (!is_loaded) {
        (void)error_set(error, ERROR_CONFIG, "the certificate authorities in %s cannot be used: %s",
                        ca_file != NULL ? ca_file : "the system's store", queued_reason());
        SSL_CTX_free(context);
        return NULL;
    }
    if (load_pair(context, files, error))
        return context;
    SSL_CTX_free(context);
    return NULL;
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

struct tls *tls_create(int fd, const char *host, const struct tls_files *files, struct error *error)
{
    ERR_clear_error();
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    SSL_CTX *context = new_context(files, error);
    if (context == NULL)
        goto fail;
    tls->has_certificate = files->certificate != NULL;
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

/* What the peer's alert means about our certificate; NULL: it is about something else. With TLS 1.3
 * it comes when the handshake is over on our side. */
static const char *meaning_of_alert(const struct tls *tls)
{
    switch (ERR_GET_REASON(ERR_peek_last_error())) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the server demands a certificate of ours: set REDIS_CERT_FILE and REDIS_KEY_FILE";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return tls->has_certificate ? NULL
                                    : "the server refuses the handshake: it may demand a "
                                      "certificate of ours, REDIS_CERT_FILE and REDIS_KEY_FILE";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        return tls->has_certificate ? "the server refuses our certificate" : NULL;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return "the port does not speak TLS: use redis://";
    default:
        return NULL;
    }
}

static enum stream_status fail(const struct tls *tls, struct error *error)
{
    const char *meaning = meaning_of_alert(tls);
    if (meaning != NULL)
        (void)error_set(error, ERROR_IO, "TLS: %s (%s)", meaning, queued_reason());
    else
        (void)error_set(error, ERROR_IO, "TLS: %s", queued_reason());
    return STREAM_FAILED;
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
        return fail(tls, error);
    }
}

static void copy_text(const ASN1_STRING *text, char name[TLS_NAME_BYTES])
{
    int length = ASN1_STRING_length(text);
    const char *bytes = (const char *)ASN1_STRING_get0_data(text);
    if (length <= 0 || length >= TLS_NAME_BYTES || strnlen(bytes, (size_t)length) < (size_t)length)
        return;
    /* "*.example.com" is for each name in its place. */
    (void)snprintf(name, TLS_NAME_BYTES, "%s%.*s", bytes[0] == '*' ? "any" : "",
                   bytes[0] == '*' ? length - 1 : length, bytes[0] == '*' ? bytes + 1 : bytes);
}

static void copy_address(const ASN1_OCTET_STRING *address, char name[TLS_NAME_BYTES])
{
    int length = ASN1_STRING_length(address);
    const unsigned char *bytes = ASN1_STRING_get0_data(address);
    char text[INET6_ADDRSTRLEN];
    if (length == 4 && inet_ntop(AF_INET, bytes, text, sizeof text) != NULL)
        (void)snprintf(name, TLS_NAME_BYTES, "%s", text);
    else if (length == 16 && inet_ntop(AF_INET6, bytes, text, sizeof text) != NULL)
        (void)snprintf(name, TLS_NAME_BYTES, "[%s]", text);
}

/* GnuTLS, which the listener has, ends a connection whose client asks for another name, as one with
 * an underscore. */
static bool can_be_asked_for(const char *name)
{
    for (; *name != '\0'; name++)
        if (!ascii_is_alphanumeric(*name) && *name != '-' && *name != '.')
            return false;
    return true;
}

static void find_name(const X509 *certificate, int kind, char name[TLS_NAME_BYTES])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && name[0] == '\0'; i++) {
        const GENERAL_NAME *each = sk_GENERAL_NAME_value(names, i);
        if (each->type != kind)
            continue;
        if (kind == GEN_DNS)
            copy_text(each->d.dNSName, name);
        else
            copy_address(each->d.iPAddress, name);
        if (kind == GEN_DNS && !can_be_asked_for(name))
            name[0] = '\0';
    }
    GENERAL_NAMES_free(names);
}

bool tls_certificate_name(const char *path, char name[TLS_NAME_BYTES], struct error *error)
{
    name[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, ERROR_CONFIG, "cannot read %s: %s", path, strerrordesc_np(errno));
    ERR_clear_error();
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file); /* it was only read */
    if (certificate == NULL)
        return error_set(error, ERROR_CONFIG, "%s is not a certificate in PEM form: %s", path,
                         queued_reason());
    find_name(certificate, GEN_DNS, name);
    find_name(certificate, GEN_IPADD, name);
    X509_free(certificate);
    return name[0] != '\0' ||
           error_set(error, ERROR_CONFIG,
                     "the certificate in %s is for no name that can be asked for: it needs a "
                     "subjectAltName with letters, digits, hyphens and dots alone, or an address",
                     path);
}

bool tls_speaks_http2(void *session)
{
    const unsigned char *protocol = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(session, &protocol, &length);
    return length == 2 && memcmp(protocol, "h2", 2) == 0;
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
