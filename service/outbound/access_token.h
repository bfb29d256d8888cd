/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SEEK's access token (SEEK says partner token), shared by all workers: cached for the expires_in
 * of its answer less a margin, one refresh at a time, checked by generation so that many
 * UNAUTHENTICATED cause one refresh.
 *
 * This module decides and keeps; the worker that is told to refresh does the transfer on its own
 * loop.
 *
 * Owns:    the newest access token.
 * Threads: any. Blocks: for its lock, moments.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/base/secret.h"
#include "lib/net/http_client.h"

struct access_token;

/* What stands before the access token in the line that access_token_acquire gives. */
#define ACCESS_TOKEN_LINE_START "Authorization: Bearer "

struct access_token_options {
    const char *audience; /* all borrowed: outlive the object */
    struct secret *client_id;
    struct secret *client_secret;
    int64_t retry_base_ms, retry_max_ms; /* after a failed refresh */
    int64_t outage_max_ms;      /* of them when the issuer is away: nobody refused anything */
    int64_t refresh_timeout_ms; /* a refresh that did not report back by then is another worker's to
                                   repeat */
};

MUST_CHECK struct access_token *access_token_create(const struct access_token_options *options,
                                                    struct error *error);
void access_token_destroy(struct access_token *token); /* wipes; accepts NULL */
DEFINE_AUTO(access_token);

enum access_token_outcome {
    ACCESS_TOKEN_READY,         /* `out` has it */
    ACCESS_TOKEN_READY_REFRESH, /* so it has, and this caller fetches the next one meanwhile */
    ACCESS_TOKEN_REFRESH,       /* there is none: this caller fetches it */
    ACCESS_TOKEN_WAIT, /* somebody fetches it, or a failed fetch is repeated later: `out_wait_ms` */
};
/* Appends "Authorization: Bearer …" to `out` when ready and tells the generation to report with. */
enum access_token_outcome access_token_acquire(struct access_token *token, int64_t now_ms,
                                               struct buffer *out, uint64_t *out_generation,
                                               int64_t *out_wait_ms);
/* SEEK said UNAUTHENTICATED to this generation: it is not used again. Nothing when a newer one is
 * there, or when this one replaced another rejected one within the last ten seconds: then it is not
 * the access token that SEEK minds, and fetching more of them would not help. But if SEEK has taken
 * it since, and rejected ten in a row after that, it is. */
void access_token_reject(struct access_token *token, uint64_t generation);
/* SEEK has taken this generation: what is rejected afterwards may be one event's fault. Such an
 * access token is used on when a rejection finds that no new one can be had, until ten rejections
 * in a row. */
void access_token_prove(struct access_token *token, uint64_t generation);
bool access_token_is_proven(struct access_token *token, uint64_t generation);

/* The body of POST /oauth/token, credentials read afresh. */
MUST_CHECK bool access_token_request(struct access_token *token, struct buffer *body,
                                     struct error *error);
/* What came of it. False and `error` (for the log, free of credentials, the provider's words only
 * as far as `error` and `error_description` of RFC 6749) when it gave no access token; the next try
 * is scheduled. */
bool access_token_refreshed(struct access_token *token, const struct http_exchange *exchange,
                            int64_t now_ms, uint64_t random, struct error *error);

/* The fetch could not be started; the next try is scheduled. `reason` as for the error above. */
void access_token_failed(struct access_token *token, const char *reason, bool is_outage,
                         int64_t now_ms, uint64_t random);

struct access_token_status {
    bool is_valid;
    int64_t expires_in_ms; /* -1: none */
    int64_t age_ms;        /* -1: none */
    uint64_t refreshes, failures;
    int64_t failing_since_ms; /* monotonic; -1: the last refresh worked */
    char last_error[256];
};
void access_token_status(struct access_token *token, int64_t now_ms,
                         struct access_token_status *out);
