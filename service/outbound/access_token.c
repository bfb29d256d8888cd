/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/access_token.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"
#include "lib/base/mutex.h"

#include "service/domain/retry_policy.h"

enum {
    TOKEN_BYTES_MAX = 8191,
    MARGIN_MAX_MS = 60 * 1000,
    MARGIN_DIVISOR = 10,
    LIFE_MAX_S = 365 * 24 * 60 * 60,
    REJECTION_INTERVAL_MS = 10 * 1000,
    REJECTION_INTERVAL_MIN_MS = 1000, /* when everybody is rejected all of a sudden */
    REJECTIONS_MAX = 10,              /* in a row; then it is not one event's fault */
    REQUEST_BYTES_MAX = 4 * SECRET_BYTES_MAX,
    SHORT_WAIT_MS = 100,
    PROVIDER_WORDS_MAX = 120,
};

struct access_token {
    struct access_token_options options; /* set by create, then read-only */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        char text[TOKEN_BYTES_MAX + 1]; /* "": none */
        uint64_t generation;
        int64_t issued_at_ms, fresh_until_ms, expires_at_ms;
        uint64_t proven_generation; /* SEEK has taken this one; 0: none yet */
        unsigned rejections;        /* of this one, since SEEK took it last */
        bool is_rejected;           /* reported, not weighed yet */
        bool is_withdrawn;          /* not used until a refresh has ended */
        bool was_rejected_before;   /* a rejection was heeded at `rejected_at_ms` */
        int64_t rejected_at_ms;
        bool is_refreshing;
        int64_t refresh_until_ms; /* then another worker may refresh */
        int64_t retry_at_ms;
        unsigned failures_in_a_row;
        int64_t failing_since_ms; /* -1: the last refresh worked */
        uint64_t refreshes, failures;
        char last_error[ERROR_MESSAGE_BYTES];
    } shared;
};

struct access_token *access_token_create(const struct access_token_options *options,
                                         struct error *error)
{
    struct access_token *token = calloc(1, sizeof *token);
    if (token == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    token->options = *options;
    token->shared.failing_since_ms = -1;
    mutex_init(&token->shared.lock);
    return token;
}

void access_token_destroy(struct access_token *token)
{
    if (token == NULL)
        return;
    mutex_fini(&token->shared.lock);
    explicit_bzero(token, sizeof *token);
    free(token);
}

/* --- deciding ---------------------------------------------------------------------- */

static bool is_valid(const struct access_token *token, int64_t now_ms) REQUIRES(token->shared.lock)
{
    return token->shared.text[0] != '\0' && !token->shared.is_rejected &&
           !token->shared.is_withdrawn && now_ms < token->shared.expires_at_ms;
}

/* Everybody is rejected, and no new one can be had: trying it on would only lengthen all pauses. */
static bool is_worthless(const struct access_token *token) REQUIRES(token->shared.lock)
{
    return token->shared.rejections >= REJECTIONS_MAX && token->shared.failing_since_ms >= 0;
}

/* A seek-token of the other environment is answered UNAUTHENTICATED whatever the access token.
 * Without this limit each such event would cost an access token, and everybody else the wait for
 * it. One that SEEK took, and then takes from nobody, was withdrawn. */
static int64_t rejection_interval_ms(const struct access_token *token) REQUIRES(token->shared.lock)
{
    bool is_withdrawn_by_seek = token->shared.rejections >= REJECTIONS_MAX &&
                                token->shared.proven_generation == token->shared.generation;
    return is_withdrawn_by_seek ? REJECTION_INTERVAL_MIN_MS : REJECTION_INTERVAL_MS;
}

static void weigh_rejection(struct access_token *token, int64_t now_ms) REQUIRES(token->shared.lock)
{
    if (!token->shared.is_rejected)
        return;
    token->shared.is_rejected = false;
    if (token->shared.was_rejected_before && !is_worthless(token) &&
        now_ms - token->shared.rejected_at_ms < rejection_interval_ms(token))
        return;
    token->shared.was_rejected_before = true;
    token->shared.rejected_at_ms = now_ms;
    token->shared.is_withdrawn = true;
}

/* SEEK has taken it, so one event's fault is likelier: it must not stop all the others. */
static void use_again(struct access_token *token) REQUIRES(token->shared.lock)
{
    if (!token->shared.is_withdrawn || is_worthless(token) ||
        token->shared.proven_generation != token->shared.generation)
        return;
    token->shared.is_withdrawn = false;
    token->shared.fresh_until_ms = 0; /* and the refresh is tried again all the same */
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum access_token_outcome decide(struct access_token *token, int64_t now_ms,
                                        int64_t *out_wait_ms) REQUIRES(token->shared.lock)
{
    weigh_rejection(token, now_ms);
    bool has_token = is_valid(token, now_ms);
    if (has_token && now_ms < token->shared.fresh_until_ms)
        return ACCESS_TOKEN_READY;
    int64_t busy_until_ms = token->shared.is_refreshing ? token->shared.refresh_until_ms : 0;
    int64_t refresh_at_ms = larger(busy_until_ms, token->shared.retry_at_ms);
    if (now_ms < refresh_at_ms) {
        *out_wait_ms = refresh_at_ms - now_ms;
        return has_token ? ACCESS_TOKEN_READY : ACCESS_TOKEN_WAIT;
    }
    token->shared.is_refreshing = true;
    token->shared.refresh_until_ms = now_ms + token->options.refresh_timeout_ms;
    return has_token ? ACCESS_TOKEN_READY_REFRESH : ACCESS_TOKEN_REFRESH;
}

static bool append_authorization(struct buffer *out, const char *text)
{
    size_t length_before = out->length;
    if (buffer_append_text(out, ACCESS_TOKEN_LINE_START, NULL) &&
        buffer_append_text(out, text, NULL))
        return true;
    out->length = length_before;
    return false;
}

enum access_token_outcome access_token_acquire(struct access_token *token, int64_t now_ms,
                                               struct buffer *out, uint64_t *out_generation,
                                               int64_t *out_wait_ms)
{
    char text[TOKEN_BYTES_MAX + 1];
    int64_t wait_ms = 0;
    mutex_lock(&token->shared.lock);
    enum access_token_outcome outcome = decide(token, now_ms, &wait_ms);
    memcpy(text, token->shared.text, strlen(token->shared.text) + 1);
    uint64_t generation = token->shared.generation;
    mutex_unlock(&token->shared.lock);

    switch (outcome) {
    case ACCESS_TOKEN_READY:
    case ACCESS_TOKEN_READY_REFRESH:
        *out_generation = generation;
        if (append_authorization(out, text))
            break;
        /* No memory. A refresh given to this caller is taken up by another after its time-out. */
        outcome = ACCESS_TOKEN_WAIT;
        wait_ms = SHORT_WAIT_MS;
        __attribute__((fallthrough));
    case ACCESS_TOKEN_WAIT:
        *out_wait_ms = wait_ms;
        break;
    case ACCESS_TOKEN_REFRESH:
        break;
    }
    explicit_bzero(text, sizeof text);
    return outcome;
}

void access_token_reject(struct access_token *token, uint64_t generation)
{
    mutex_lock(&token->shared.lock);
    if (generation == token->shared.generation) {
        token->shared.is_rejected = true; /* weighed by the next access_token_acquire */
        token->shared.rejections++;
    }
    mutex_unlock(&token->shared.lock);
}

void access_token_prove(struct access_token *token, uint64_t generation)
{
    mutex_lock(&token->shared.lock);
    if (generation == token->shared.generation) {
        token->shared.proven_generation = generation;
        token->shared.rejections = 0;
    }
    mutex_unlock(&token->shared.lock);
}

bool access_token_is_proven(struct access_token *token, uint64_t generation)
{
    mutex_lock(&token->shared.lock);
    bool is_proven = generation == token->shared.proven_generation;
    mutex_unlock(&token->shared.lock);
    return is_proven;
}

void access_token_status(struct access_token *token, int64_t now_ms,
                         struct access_token_status *out)
{
    mutex_lock(&token->shared.lock);
    bool has_token = is_valid(token, now_ms);
    *out = (struct access_token_status){
        .is_valid = has_token,
        .expires_in_ms = has_token ? token->shared.expires_at_ms - now_ms : -1,
        .age_ms = has_token ? now_ms - token->shared.issued_at_ms : -1,
        .refreshes = token->shared.refreshes,
        .failures = token->shared.failures,
        .failing_since_ms = token->shared.failing_since_ms,
    };
    memcpy(out->last_error, token->shared.last_error, sizeof out->last_error);
    mutex_unlock(&token->shared.lock);
}

/* --- fetching ---------------------------------------------------------------------- */

static bool append_member(struct buffer *body, const char *name, const char *value, size_t length,
                          struct error *error)
{
    return buffer_append_text(body, name, error) && json_append_string(body, value, length, error);
}

static bool append_secret(struct buffer *body, const char *name, struct secret *secret,
                          struct error *error)
{
    struct buffer value;
    buffer_init(&value, SECRET_BYTES_MAX);
    bool is_done = secret_read(secret, &value, error) &&
                   append_member(body, name, value.bytes, value.length, error);
    buffer_wipe(&value);
    buffer_fini(&value);
    return is_done;
}

bool access_token_request(struct access_token *token, struct buffer *body, struct error *error)
{
    const struct access_token_options *options = &token->options;
    return append_member(body, "{\"audience\":", options->audience, strlen(options->audience),
                         error) &&
           append_secret(body, ",\"client_id\":", options->client_id, error) &&
           append_secret(body, ",\"client_secret\":", options->client_secret, error) &&
           buffer_append_text(body, ",\"grant_type\":\"client_credentials\"}", error);
}

struct grant {
    const char *text; /* borrowed from the answer */
    size_t length;
    int64_t life_ms;
};

/* Whether the text holds the secret's value. Unreadable counts as yes: nothing is shown then. */
static bool mentions(const char *text, struct secret *secret)
{
    struct buffer value;
    buffer_init(&value, SECRET_BYTES_MAX);
    bool does = !secret_read(secret, &value, NULL) || strstr(text, value.bytes) != NULL;
    buffer_wipe(&value);
    buffer_fini(&value);
    return does;
}

/* RFC 6749 section 5.2. Providers have been seen to repeat the credentials in their error texts. */
static bool report_refusal(const struct access_token *token, const struct json_value *root,
                           unsigned status, struct error *error)
{
    struct json_text code = {"", 0};
    struct json_text description = {"", 0};
    (void)json_member_text(root, "error", &code);
    (void)json_member_text(root, "error_description", &description);
    if (code.length == 0)
        return error_set(error, ERROR_PROTOCOL, "HTTP status %u without an OAuth error", status);
    if (mentions(code.bytes, token->options.client_secret) ||
        mentions(description.bytes, token->options.client_secret))
        return error_set(error, ERROR_PROTOCOL, "HTTP status %u; its text holds the client secret",
                         status);
    return error_set(error, ERROR_PROTOCOL, "HTTP status %u, %.*s%s%.*s", status,
                     PROVIDER_WORDS_MAX, code.bytes, description.length > 0 ? ": " : "",
                     PROVIDER_WORDS_MAX, description.bytes);
}

/* It becomes part of a header line. */
static bool is_header_text(const struct json_text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        if (text->bytes[i] <= ' ' || text->bytes[i] > '~')
            return false;
    }
    return true;
}

static bool read_grant(const struct json_value *root, struct grant *out, struct error *error)
{
    struct json_text text;
    if (!json_member_text(root, "access_token", &text) || text.length == 0)
        return error_set(error, ERROR_PROTOCOL, "the answer has no access_token");
    if (text.length > TOKEN_BYTES_MAX || !is_header_text(&text))
        return error_set(error, ERROR_PROTOCOL,
                         "the access_token is over %d bytes or not plain text", TOKEN_BYTES_MAX);
    int64_t life_s;
    if (!json_member_integer(root, "expires_in", &life_s))
        return error_set(error, ERROR_PROTOCOL,
                         "expires_in, a whole number of seconds, is missing in the answer");
    if (life_s <= 0)
        return error_set(error, ERROR_PROTOCOL, "the access token has expired already");
    *out =
        (struct grant){text.bytes, text.length, (life_s < LIFE_MAX_S ? life_s : LIFE_MAX_S) * 1000};
    return true;
}

static void keep(struct access_token *token, const struct grant *grant, int64_t issued_at_ms)
{
    int64_t margin_ms = grant->life_ms / MARGIN_DIVISOR;
    if (margin_ms > MARGIN_MAX_MS)
        margin_ms = MARGIN_MAX_MS;
    mutex_lock(&token->shared.lock);
    memcpy(token->shared.text, grant->text, grant->length);
    token->shared.text[grant->length] = '\0';
    token->shared.generation++;
    token->shared.is_rejected = token->shared.is_withdrawn = false;
    token->shared.rejections = 0;
    token->shared.issued_at_ms = issued_at_ms;
    token->shared.expires_at_ms = issued_at_ms + grant->life_ms;
    token->shared.fresh_until_ms = token->shared.expires_at_ms - margin_ms;
    token->shared.is_refreshing = false;
    token->shared.retry_at_ms = 0;
    token->shared.failures_in_a_row = 0;
    token->shared.failing_since_ms = -1;
    token->shared.refreshes++;
    token->shared.last_error[0] = '\0';
    mutex_unlock(&token->shared.lock);
}

void access_token_failed(struct access_token *token, const char *reason, bool is_outage,
                         int64_t now_ms, uint64_t random)
{
    int64_t max_ms = is_outage ? token->options.outage_max_ms : token->options.retry_max_ms;
    size_t length = strnlen(reason, sizeof token->shared.last_error - 1);
    mutex_lock(&token->shared.lock);
    memcpy(token->shared.last_error, reason, length);
    token->shared.last_error[length] = '\0';
    token->shared.is_refreshing = false;
    token->shared.failures++;
    token->shared.failures_in_a_row++;
    token->shared.retry_at_ms =
        now_ms + retry_policy_backoff_ms(token->options.retry_base_ms, max_ms,
                                         token->shared.failures_in_a_row, random);
    if (token->shared.failing_since_ms < 0)
        token->shared.failing_since_ms = now_ms;
    use_again(token);
    mutex_unlock(&token->shared.lock);
}

/* `out` borrows from `json`. */
static bool read_answer(const struct access_token *token, const struct http_exchange *exchange,
                        const struct json *json, struct grant *out, struct error *error)
{
    const struct json_value *root = json != NULL ? json_root(json) : NULL;
    if (exchange->status < 200 || exchange->status > 299)
        return report_refusal(token, root, exchange->status, error);
    if (json_type(root) != JSON_OBJECT)
        return error_set(error, ERROR_PROTOCOL, "the answer is not a JSON object");
    return read_grant(root, out, error);
}

bool access_token_refreshed(struct access_token *token, const struct http_exchange *exchange,
                            int64_t now_ms, uint64_t random, struct error *error)
{
    struct error reason;
    if (exchange->outcome != HTTP_ANSWERED) {
        (void)error_set(&reason, ERROR_IO, "%s", exchange->detail);
    } else {
        AUTO(json) *json = json_parse(exchange->body, exchange->body_length, NULL);
        struct grant grant = {0};
        if (read_answer(token, exchange, json, &grant, &reason)) {
            keep(token, &grant, now_ms - exchange->duration_us / 1000);
            return true;
        }
    }
    bool is_outage = exchange->outcome != HTTP_ANSWERED || exchange->status >= 500;
    access_token_failed(token, reason.message, is_outage, now_ms, random);
    return error_set(error, reason.kind, "%s", reason.message);
}
