/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An identity is read as a whole or not at all, and never changes. Each session holds the one that
 * it began with; the files' next content makes another. So nothing is changed under a session, and
 * a half written file does no harm.
 */
#include "lib/net/tls_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/mutex.h"
#include "lib/base/sha256.h"

enum { FILE_BYTES_MAX = 1024 * 1024, CHAIN_MAX = 16 };

const char tls_server_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:"
                                     "-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:"
                                     "%SERVER_PRECEDENCE";

struct tls_identity {
    gnutls_certificate_credentials_t credentials; /* owned */
    bool asks_clients;
    int64_t expires_at_ms;
    atomic_uint holders;
    _Atomic bool is_replaced;
};

struct tls_server {
    /* Set by create, then read-only: any thread. */
    char *certificate, *key, *client_ca; /* owned */
    /* Of who refreshes. */
    unsigned char digest[SHA256_BYTES]; /* of the files whose identity is in use */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        struct tls_identity *identity; /* held */
        struct tls_server_status status;
    } shared;
};

/* ---- an identity ---- */

static struct tls_identity *identity_create(struct error *error)
{
    struct tls_identity *identity = calloc(1, sizeof *identity);
    if (identity != NULL &&
        gnutls_certificate_allocate_credentials(&identity->credentials) == GNUTLS_E_SUCCESS) {
        atomic_init(&identity->holders, 1);
        atomic_init(&identity->is_replaced, false);
        return identity;
    }
    free(identity);
    (void)error_out_of_memory(error);
    return NULL;
}

void tls_identity_release(struct tls_identity *take_identity)
{
    if (take_identity == NULL)
        return;
    unsigned holders = atomic_fetch_sub(&take_identity->holders, 1);
    assert(holders > 0);
    if (holders > 1)
        return;
    gnutls_certificate_free_credentials(take_identity->credentials);
    free(take_identity);
}

bool tls_identity_is_replaced(const struct tls_identity *identity)
{
    assert(atomic_load(&identity->holders) > 0);
    return atomic_load(&identity->is_replaced);
}

static gnutls_datum_t datum_of(const struct buffer *text)
{
    return (gnutls_datum_t){.data = (unsigned char *)text->bytes, .size = (unsigned)text->length};
}

struct texts {
    struct buffer certificate, key, client_ca;
};

static bool add_pair(struct tls_identity *identity, const struct tls_server *server,
                     gnutls_x509_crt_t *chain, unsigned count, const struct texts *texts,
                     struct error *error)
{
    assert(count > 0 && count <= CHAIN_MAX);
    gnutls_datum_t text = datum_of(&texts->key);
    gnutls_x509_privkey_t key;
    if (gnutls_x509_privkey_init(&key) != GNUTLS_E_SUCCESS)
        return error_out_of_memory(error);
    int result = gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    bool is_added = result == GNUTLS_E_SUCCESS;
    if (!is_added) {
        (void)error_set(error, ERROR_CONFIG,
                        "%s is not a private key in PEM form without a passphrase: %s", server->key,
                        gnutls_strerror(result));
    } else {
        result = gnutls_certificate_set_x509_key(identity->credentials, chain, (int)count, key);
        is_added = result == GNUTLS_E_SUCCESS;
        if (!is_added)
            (void)error_set(error, ERROR_CONFIG,
                            "the key in %s does not belong to the first certificate in %s: %s",
                            server->key, server->certificate, gnutls_strerror(result));
    }
    gnutls_x509_privkey_deinit(key);
    return is_added;
}

static bool read_pair(struct tls_identity *identity, const struct tls_server *server,
                      const struct texts *texts, struct error *error)
{
    gnutls_datum_t text = datum_of(&texts->certificate);
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned count = CHAIN_MAX;
    int result = gnutls_x509_crt_list_import(chain, &count, &text, GNUTLS_X509_FMT_PEM,
                                             GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED |
                                                 GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (result <= 0)
        return error_set(error, ERROR_CONFIG,
                         "%s is not a certificate in PEM form, followed by those up to its "
                         "authority: %s",
                         server->certificate, gnutls_strerror(result));
    count = (unsigned)result;
    identity->expires_at_ms = 1000 * (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]);
    bool is_added = add_pair(identity, server, chain, count, texts, error);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return is_added;
}

static bool read_authority(struct tls_identity *identity, const struct tls_server *server,
                           const struct texts *texts, struct error *error)
{
    if (server->client_ca == NULL)
        return true;
    gnutls_datum_t text = datum_of(&texts->client_ca);
    int count =
        gnutls_certificate_set_x509_trust_mem(identity->credentials, &text, GNUTLS_X509_FMT_PEM);
    identity->asks_clients = true;
    return count > 0 ||
           error_set(error, ERROR_CONFIG, "%s has no certificate in PEM form: %s",
                     server->client_ca, count < 0 ? gnutls_strerror(count) : "nothing was found");
}

static struct tls_identity *make_identity(const struct tls_server *server,
                                          const struct texts *texts, struct error *error)
{
    struct tls_identity *identity = identity_create(error);
    if (identity != NULL && read_pair(identity, server, texts, error) &&
        read_authority(identity, server, texts, error))
        return identity;
    tls_identity_release(identity);
    return NULL;
}

/* ---- the files ---- */

static bool read_open_file(int fd, struct buffer *out, struct error *error)
{
    struct stat status;
    char bytes[4096];
    ssize_t got;
    if (fstat(fd, &status) != 0)
        return error_set(error, ERROR_CONFIG, "%s", strerrordesc_np(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_CONFIG, "not a regular file");
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        if (!buffer_append(out, bytes, (size_t)got, error))
            return false;
    explicit_bzero(bytes, sizeof bytes);
    return got == 0 || error_set(error, ERROR_CONFIG, "%s", strerrordesc_np(errno));
}

static bool read_file(const char *path, struct buffer *out, struct error *error)
{
    buffer_init(out, FILE_BYTES_MAX);
    if (path == NULL)
        return true;
    /* O_NONBLOCK: opening a FIFO would wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool is_read = fd >= 0 ? read_open_file(fd, out, error)
                           : error_set(error, ERROR_CONFIG, "%s", strerrordesc_np(errno));
    if (fd >= 0)
        (void)close(fd); /* it was only read */
    return is_read || error_wrap(error, "cannot read %s", path);
}

static bool read_files(const struct tls_server *server, struct texts *out, struct error *error)
{
    bool has_certificate = read_file(server->certificate, &out->certificate, error);
    bool has_key = read_file(server->key, &out->key, has_certificate ? error : NULL);
    bool has_authority =
        read_file(server->client_ca, &out->client_ca, has_certificate && has_key ? error : NULL);
    return has_certificate && has_key && has_authority;
}

static void forget_texts(struct texts *texts)
{
    buffer_wipe(&texts->key);
    buffer_fini(&texts->key);
    buffer_fini(&texts->certificate);
    buffer_fini(&texts->client_ca);
}

static bool digest_files(const struct texts *texts, unsigned char digest[3 * SHA256_BYTES],
                         struct error *error)
{
    return sha256(texts->certificate.bytes, texts->certificate.length, digest, error) &&
           sha256(texts->key.bytes, texts->key.length, digest + SHA256_BYTES, error) &&
           sha256(texts->client_ca.bytes, texts->client_ca.length,
                  digest + (size_t)2 * SHA256_BYTES, error);
}

static bool digest_all(const struct texts *texts, unsigned char digest[SHA256_BYTES],
                       struct error *error)
{
    unsigned char each[3 * SHA256_BYTES];
    return digest_files(texts, each, error) && sha256(each, sizeof each, digest, error);
}

/* ---- the server ---- */

static void put(struct tls_server *server, struct tls_identity *take_identity, const char *reason)
{
    struct tls_identity *old = NULL;
    mutex_lock(&server->shared.lock);
    assert(take_identity == NULL || take_identity != server->shared.identity);
    struct tls_server_status *status = &server->shared.status;
    if (take_identity != NULL) {
        old = server->shared.identity;
        server->shared.identity = take_identity;
        status->expires_at_ms = take_identity->expires_at_ms;
        status->renewals += old != NULL;
    }
    (void)snprintf(status->reason, sizeof status->reason, "%s", reason);
    mutex_unlock(&server->shared.lock);
    if (old != NULL)
        atomic_store(&old->is_replaced, true);
    tls_identity_release(old);
}

static enum tls_refresh look(struct tls_server *server, const struct texts *texts,
                             struct error *failure)
{
    unsigned char digest[SHA256_BYTES];
    if (!digest_all(texts, digest, failure))
        return TLS_FILES_BROKEN;
    bool is_first = server->shared.identity == NULL;
    if (!is_first && memcmp(digest, server->digest, sizeof digest) == 0) {
        put(server, NULL, "");
        return TLS_FILES_SAME;
    }
    struct tls_identity *identity = make_identity(server, texts, failure);
    if (identity == NULL)
        return TLS_FILES_BROKEN;
    memcpy(server->digest, digest, sizeof digest);
    put(server, identity, "");
    return TLS_FILES_RENEWED;
}

enum tls_refresh tls_server_refresh(struct tls_server *server, struct error *error)
{
    struct texts texts;
    struct error failure = {.message = ""};
    enum tls_refresh found = TLS_FILES_BROKEN;
    if (read_files(server, &texts, &failure))
        found = look(server, &texts, &failure);
    forget_texts(&texts);
    if (found == TLS_FILES_BROKEN) {
        put(server, NULL, failure.message);
        assert(failure.message[0] != '\0'); /* "" says that all is well */
        (void)error_set(error, failure.kind, "%s", failure.message);
    }
    return found;
}

static char *copy(const char *path)
{
    return path != NULL ? strdup(path) : NULL;
}

struct tls_server *tls_server_create(const struct tls_server_files *files, struct error *error)
{
    struct tls_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    mutex_init(&server->shared.lock);
    server->certificate = copy(files->certificate);
    server->key = copy(files->key);
    server->client_ca = copy(files->client_ca);
    if (server->certificate == NULL || server->key == NULL ||
        (files->client_ca != NULL && server->client_ca == NULL))
        (void)error_out_of_memory(error);
    else if (tls_server_refresh(server, error) != TLS_FILES_BROKEN)
        return server;
    tls_server_destroy(server);
    return NULL;
}

void tls_server_destroy(struct tls_server *server)
{
    if (server == NULL)
        return;
    tls_identity_release(server->shared.identity);
    mutex_fini(&server->shared.lock);
    free(server->certificate);
    free(server->key);
    free(server->client_ca);
    free(server);
}

void tls_server_status(struct tls_server *server, struct tls_server_status *out)
{
    mutex_lock(&server->shared.lock);
    *out = server->shared.status;
    mutex_unlock(&server->shared.lock);
}

/* ---- a session ---- */

struct tls_identity *tls_server_equip(struct tls_server *server, void *session)
{
    mutex_lock(&server->shared.lock);
    struct tls_identity *identity = server->shared.identity;
    assert(identity != NULL); /* tls_server_create has read one */
    atomic_fetch_add(&identity->holders, 1);
    mutex_unlock(&server->shared.lock);
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, identity->credentials) !=
        GNUTLS_E_SUCCESS) {
        tls_identity_release(identity);
        return NULL;
    }
    if (identity->asks_clients)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    return identity;
}

static void describe(unsigned status, char reason[TLS_REASON_BYTES])
{
    gnutls_datum_t words = {.data = NULL};
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0) ==
        GNUTLS_E_SUCCESS) {
        size_t length = strnlen((const char *)words.data, TLS_REASON_BYTES - 1);
        memcpy(reason, words.data, length);
        while (length > 0 && reason[length - 1] == ' ')
            length--;
        reason[length] = '\0';
    }
    gnutls_free(words.data);
}

enum tls_peer tls_server_judge_peer(void *session, char reason[TLS_REASON_BYTES])
{
    static const char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    unsigned count = 0, status = 0;
    reason[0] = '\0';
    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0)
        return TLS_PEER_UNKNOWN;
    gnutls_typed_vdata_st wanted = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                    .data = (unsigned char *)(uintptr_t)purpose};
    int result = gnutls_certificate_verify_peers(session, &wanted, 1, &status);
    if (result == GNUTLS_E_SUCCESS && status == 0)
        return TLS_PEER_VERIFIED;
    describe(status, reason);
    return TLS_PEER_REFUSED;
}
