/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The access token is an automaton, whose moves UNAUTHENTICATED and the issuer cause:
 *
 *     none ──(granted)──► in use ──(SEEK rejects it)──► rejected
 *                         ▲  ▲ ▲                         │   │
 *                         │  │ └──(it is not to blame)───┘   │
 *                         │  │                      (it is withdrawn)
 *                         │  └───(granted anew)─┐            ▼
 *                         │                     └──────── withdrawn
 *                         └──(no new one, SEEK took it)──────┘
 *
 * A rejection is only noted when it comes, and weighed by the next worker that wants the access
 * token. While one is in use or rejected, a new one may be granted too. What is rejected after it
 * was withdrawn came with attempts that were on their way: it counts, and moves nothing.
 *
 * Life and refresh are moments, no states: a refresh begins after `fresh_until_ms`, or when none is
 * in use, but not before `retry_at_ms` nor, while another worker is at it, `refresh_until_ms`.
 */
#include "service/outbound/access_token.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/json_repair.h"
#include "lib/base/mutex.h"

#include "service/domain/retry_policy.h"
#include "service/outbound/issuer_answer.h"
#include "service/outbound/issuer_request.h"

enum {
    MARGIN_MAX_MS = 60 * 1000,
    MARGIN_DIVISOR = 10,
    REJECTION_INTERVAL_MS = 10 * 1000,
    REJECTION_INTERVAL_MIN_MS = 1000, /* when everybody is rejected all of a sudden */
    REJECTIONS_MAX = 10,              /* in a row; then it is not one event's fault */
    SHORT_WAIT_MS = 100,
};
#define NEVER INT64_MIN

enum token_state {
    TOKEN_NONE,
    TOKEN_IN_USE,
    TOKEN_REJECTED,  /* reported, not weighed yet: not used meanwhile */
    TOKEN_WITHDRAWN, /* not used until a refresh has ended */
    TOKEN_STATE_COUNT,
};

#define TO(state) (1U << (state))

static const unsigned allowed[TOKEN_STATE_COUNT] = {
    [TOKEN_NONE] = TO(TOKEN_IN_USE),
    [TOKEN_IN_USE] = TO(TOKEN_IN_USE) | TO(TOKEN_REJECTED),
    [TOKEN_REJECTED] = TO(TOKEN_IN_USE) | TO(TOKEN_WITHDRAWN),
    [TOKEN_WITHDRAWN] = TO(TOKEN_IN_USE),
};

struct access_token {
    struct access_token_options options; /* set by create, then read-only */
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        enum token_state state;
        char text[ACCESS_TOKEN_BYTES_MAX + 1];
        uint64_t generation; /* 0: none */
        int64_t issued_at_ms, fresh_until_ms, expires_at_ms;
        uint64_t proven_generation; /* SEEK has taken this one; 0: none yet */
        unsigned rejections;        /* of this one, since SEEK took it last */
        int64_t withdrawn_at_ms;    /* the last that was; NEVER: none yet */
        int64_t refresh_until_ms;   /* then another worker may refresh; NEVER: none is at it */
        int64_t retry_at_ms;
        unsigned failures_in_a_row;
        int64_t failing_since_ms; /* -1: the last refresh worked */
        uint64_t refreshes, failures;
        char last_error[ERROR_MESSAGE_BYTES];
        char sent_secret[SECRET_BYTES_MAX + 1]; /* of the last request; "": none */
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
    token->shared.withdrawn_at_ms = token->shared.refresh_until_ms = NEVER;
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

/* The sole writer of `state`. */
static void move(struct access_token *token, enum token_state next) REQUIRES(token->shared.lock)
{
    assert((allowed[token->shared.state] & TO(next)) != 0);
    token->shared.state = next;
    assert(token->shared.generation > 0);
    assert(token->shared.text[0] != '\0');
    assert(token->shared.proven_generation <= token->shared.generation);
}

static bool is_valid(const struct access_token *token, int64_t now_ms) REQUIRES(token->shared.lock)
{
    return token->shared.state == TOKEN_IN_USE && now_ms < token->shared.expires_at_ms;
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
    if (token->shared.state != TOKEN_REJECTED)
        return;
    if (token->shared.withdrawn_at_ms != NEVER && !is_worthless(token) &&
        now_ms - token->shared.withdrawn_at_ms < rejection_interval_ms(token)) {
        move(token, TOKEN_IN_USE);
        return;
    }
    token->shared.withdrawn_at_ms = now_ms;
    move(token, TOKEN_WITHDRAWN);
}

/* SEEK has taken it, so one event's fault is likelier: it must not stop all the others. */
static void use_again(struct access_token *token) REQUIRES(token->shared.lock)
{
    if (token->shared.state != TOKEN_WITHDRAWN || is_worthless(token) ||
        token->shared.proven_generation != token->shared.generation)
        return;
    move(token, TOKEN_IN_USE);
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
    int64_t refresh_at_ms = larger(token->shared.refresh_until_ms, token->shared.retry_at_ms);
    if (now_ms < refresh_at_ms) {
        *out_wait_ms = refresh_at_ms - now_ms;
        return has_token ? ACCESS_TOKEN_READY : ACCESS_TOKEN_WAIT;
    }
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
    char text[ACCESS_TOKEN_BYTES_MAX + 1];
    int64_t wait_ms = 0;
    mutex_lock(&token->shared.lock);
    enum access_token_outcome outcome = decide(token, now_ms, &wait_ms);
    size_t text_bytes = strlen(token->shared.text) + 1;
    memcpy(text, token->shared.text, text_bytes);
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
    explicit_bzero(text, text_bytes);
    return outcome;
}

void access_token_reject(struct access_token *token, uint64_t generation)
{
    mutex_lock(&token->shared.lock);
    if (generation == token->shared.generation) {
        token->shared.rejections++;
        if (token->shared.state == TOKEN_IN_USE)
            move(token, TOKEN_REJECTED); /* weighed by the next access_token_acquire */
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

/* The file may hold another one by the time the issuer answers, whose words may be about this one.
 */
static void note_sent_secret(struct access_token *token, const struct buffer *secret)
{
    mutex_lock(&token->shared.lock);
    memcpy(token->shared.sent_secret, secret->bytes, secret->length + 1);
    mutex_unlock(&token->shared.lock);
}

bool access_token_request(struct access_token *token, struct buffer *body, struct error *error)
{
    const struct issuer_credentials credentials = {.audience = token->options.audience,
                                                   .client_id = token->options.client_id,
                                                   .client_secret = token->options.client_secret};
    struct buffer secret;
    buffer_init(&secret, SECRET_BYTES_MAX);
    bool is_written = issuer_request_write(&credentials, body, &secret, error);
    if (is_written)
        note_sent_secret(token, &secret);
    buffer_wipe(&secret);
    buffer_fini(&secret);
    return is_written;
}

static void keep(struct access_token *token, const struct issuer_grant *grant, int64_t issued_at_ms)
{
    assert(grant->access_token != NULL && grant->length <= ACCESS_TOKEN_BYTES_MAX);
    int64_t margin_ms = grant->life_ms / MARGIN_DIVISOR;
    if (margin_ms > MARGIN_MAX_MS)
        margin_ms = MARGIN_MAX_MS;
    mutex_lock(&token->shared.lock);
    memcpy(token->shared.text, grant->access_token, grant->length);
    token->shared.text[grant->length] = '\0';
    token->shared.generation++;
    move(token, TOKEN_IN_USE);
    token->shared.rejections = 0;
    token->shared.issued_at_ms = issued_at_ms;
    token->shared.expires_at_ms = issued_at_ms + grant->life_ms;
    token->shared.fresh_until_ms = token->shared.expires_at_ms - margin_ms;
    token->shared.refresh_until_ms = NEVER;
    token->shared.retry_at_ms = 0;
    token->shared.failures_in_a_row = 0;
    token->shared.failing_since_ms = -1;
    token->shared.refreshes++;
    token->shared.last_error[0] = '\0';
    mutex_unlock(&token->shared.lock);
}

/* `floor_ms`: the issuer's Retry-After; the usual pause goes on top. */
static void note_failure(struct access_token *token, const char *reason, bool is_outage,
                         int64_t floor_ms, int64_t now_ms, uint64_t random)
{
    int64_t max_ms = is_outage ? token->options.outage_max_ms : token->options.retry_max_ms;
    size_t length = strnlen(reason, sizeof token->shared.last_error - 1);
    mutex_lock(&token->shared.lock);
    memcpy(token->shared.last_error, reason, length);
    token->shared.last_error[length] = '\0';
    token->shared.refresh_until_ms = NEVER;
    token->shared.failures++;
    token->shared.failures_in_a_row++;
    token->shared.retry_at_ms = now_ms + floor_ms +
                                retry_policy_backoff_ms(token->options.retry_base_ms, max_ms,
                                                        token->shared.failures_in_a_row, random);
    if (token->shared.failing_since_ms < 0)
        token->shared.failing_since_ms = now_ms;
    use_again(token);
    mutex_unlock(&token->shared.lock);
}

void access_token_failed(struct access_token *token, const char *reason, bool is_outage,
                         int64_t now_ms, uint64_t random)
{
    note_failure(token, reason, is_outage, 0, now_ms, random);
}

/* `out` borrows from `json`. */
static bool read_answer(struct access_token *token, const struct http_exchange *exchange,
                        const struct json *json, struct issuer_grant *out, struct error *error)
{
    struct buffer secret;
    char sent_secret[SECRET_BYTES_MAX + 1];
    buffer_init(&secret, SECRET_BYTES_MAX);
    (void)!secret_read(token->options.client_secret, &secret, NULL); /* else only what was sent */
    mutex_lock(&token->shared.lock);
    memcpy(sent_secret, token->shared.sent_secret, sizeof sent_secret);
    mutex_unlock(&token->shared.lock);
    const char *const secrets[] = {sent_secret, secret.bytes};
    const struct redaction redaction = {secrets, sizeof secrets / sizeof secrets[0]};
    bool is_granted = issuer_answer_read(exchange, json, &redaction, out, error);
    explicit_bzero(sent_secret, sizeof sent_secret);
    buffer_wipe(&secret);
    buffer_fini(&secret);
    return is_granted;
}

bool access_token_refreshed(struct access_token *token, const struct http_exchange *exchange,
                            int64_t now_ms, uint64_t random, struct error *error)
{
    struct error reason;
    if (exchange->outcome != HTTP_ANSWERED) {
        (void)error_set(&reason, ERROR_IO, "%s", exchange->detail);
    } else {
        AUTO(json) *json =
            json_parse_repaired(exchange->body, exchange->body_length, ISSUER_DEPTH_MAX, NULL);
        struct issuer_grant grant = {0};
        if (read_answer(token, exchange, json, &grant, &reason)) {
            keep(token, &grant, now_ms - exchange->duration_us / 1000);
            return true;
        }
    }
    bool is_outage = exchange->outcome != HTTP_ANSWERED || exchange->status >= 500;
    int64_t floor_ms = issuer_answer_retry_after_ms(exchange, clock_wall_ms());
    note_failure(token, reason.message, is_outage, floor_ms, now_ms, random);
    return error_set(error, reason.kind, "%s", reason.message);
}
