/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/webhook.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/sha256.h"

#include "service/domain/base64.h"

enum {
    SIGNED_BYTES_MAX = 1 << 20,
    BASE64_BYTES = (SHA256_BYTES + 2) / 3 * 4 + 1,
    SIGNATURES_BYTES_MAX = 256, /* WEBHOOK_KEYS_MAX of them */
};

static const char remedy[] = "make one with `printf whsec_; openssl rand -base64 32`";

struct webhook_key {
    char bytes[SECRET_BYTES_MAX];
    size_t length;
};

/* One line of the secret. */
static bool read_key(const char *line, struct webhook_key *out, struct error *error)
{
    static const char prefix[] = "whsec_";
    size_t length = strlen(line);
    assert(length > 0 && length <= SECRET_BYTES_MAX);
    if (strncmp(line, prefix, sizeof prefix - 1) != 0) {
        memcpy(out->bytes, line, length);
        out->length = length;
    } else if (!base64_decode(line + sizeof prefix - 1, length - (sizeof prefix - 1), out->bytes,
                              &out->length)) {
        return error_set(error, ERROR_CONFIG, "what follows whsec_ is not Base64: %s", remedy);
    }
    if (out->length < WEBHOOK_KEY_BYTES_MIN)
        return error_set(error, ERROR_CONFIG, "a key of less than %d bytes can be guessed: %s",
                         WEBHOOK_KEY_BYTES_MIN, remedy);
    return true;
}

typedef bool (*use_key)(void *context, const struct webhook_key *key, struct error *error);

static bool use_lines(char *lines, use_key use, void *context, struct error *error)
{
    struct webhook_key key;
    bool is_fine = true;
    size_t count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\r\n", &rest); is_fine && line != NULL;
         line = strtok_r(NULL, "\r\n", &rest)) {
        if (++count > WEBHOOK_KEYS_MAX)
            is_fine = error_set(error, ERROR_CONFIG, "more than %d keys", WEBHOOK_KEYS_MAX);
        else
            is_fine = read_key(line, &key, error) && use(context, &key, error);
    }
    explicit_bzero(&key, sizeof key);
    if (is_fine && count == 0)
        return error_set(error, ERROR_CONFIG, "there is no key in it: %s", remedy);
    return is_fine;
}

static bool use_all(struct secret *secret, use_key use, void *context, struct error *error)
{
    struct buffer lines;
    buffer_init(&lines, SECRET_BYTES_MAX);
    bool is_used =
        secret_read(secret, &lines, error) && use_lines(lines.bytes, use, context, error);
    buffer_wipe(&lines);
    buffer_fini(&lines);
    return is_used;
}

static bool accept_key(void *context, const struct webhook_key *key, struct error *error)
{
    (void)context;
    (void)key;
    (void)error;
    return true;
}

bool webhook_check_secret(struct secret *secret, struct error *error)
{
    return use_all(secret, accept_key, NULL, error);
}

struct signing {
    const struct buffer *content;
    struct buffer signatures;
};

static bool add_signature(void *context, const struct webhook_key *key, struct error *error)
{
    struct signing *signing = context;
    unsigned char mac[SHA256_BYTES];
    char text[BASE64_BYTES];
    if (!hmac_sha256(key->bytes, key->length, signing->content->bytes, signing->content->length,
                     mac, error))
        return false;
    base64_encode(mac, sizeof mac, text);
    const char *separator = signing->signatures.length > 0 ? " " : "";
    return buffer_append_format(&signing->signatures, error, "%sv1,%s", separator, text);
}

/* What is signed: id, time and body, with full stops between. */
static bool write_content(struct buffer *out, const struct webhook_message *message,
                          struct error *error)
{
    return buffer_append_format(out, error, "%s.%" PRId64 ".", message->id, message->sent_at_s) &&
           buffer_append(out, message->body, message->body_length, error);
}

bool webhook_sign(const struct webhook_message *message, struct secret *secret,
                  struct webhook_headers *out, struct error *error)
{
    assert(strpbrk(message->id, ".\r\n") == NULL);
    struct buffer content;
    struct signing signing = {.content = &content};
    buffer_init(&content, SIGNED_BYTES_MAX);
    buffer_init(&signing.signatures, SIGNATURES_BYTES_MAX);
    bool is_signed =
        write_content(&content, message, error) && use_all(secret, add_signature, &signing, error);
    if (is_signed) {
        (void)snprintf(out->id, sizeof out->id, "webhook-id: %s", message->id);
        (void)snprintf(out->timestamp, sizeof out->timestamp, "webhook-timestamp: %" PRId64,
                       message->sent_at_s);
        int length = snprintf(out->signature, sizeof out->signature, "webhook-signature: %s",
                              signing.signatures.bytes);
        assert(length > 0 && (size_t)length < sizeof out->signature);
    }
    buffer_fini(&signing.signatures);
    buffer_fini(&content);
    return is_signed;
}
