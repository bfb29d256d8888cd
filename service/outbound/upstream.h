/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The two requests to SEEK as HTTP: the signal and the access token. Builds them, reads the
 * answers, and logs both when LOG_UPSTREAM=full, credentials left out.
 *
 * Owns: nothing. Threads: any, each with its own http_client. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/http_client.h"

#include "service/domain/upstream_reply.h"

/* For the name, the connection and TLS, within the time of the request. More than the 5 s after
 * which a resolver goes on to its second name server. */
enum { UPSTREAM_CONNECT_MAX_MS = 8000 };
static inline unsigned upstream_connect_timeout_ms(unsigned timeout_ms)
{
    return timeout_ms < UPSTREAM_CONNECT_MAX_MS ? timeout_ms : UPSTREAM_CONNECT_MAX_MS;
}

struct upstream { /* all borrowed: outlive it */
    const char *graphql_url;
    const char *token_url;
    const char *graphql_proxy, *token_proxy; /* as http_transfer has it */
    const char *user_agent;
    const char *accept_language;
    unsigned timeout_ms;
    bool is_logged;
};

struct upstream_signal { /* borrowed for the call */
    const char *seek_token;
    int64_t completed_at_ms;
    const char *event_id;
    const char *request_id;
    const char *traceparent;   /* "" */
    const char *authorization; /* the whole header line */
    int64_t send_until_ms;     /* as http_transfer has it */
};

/* False: nothing was started. */
MUST_CHECK bool upstream_send_signal(const struct upstream *upstream, struct http_client *client,
                                     const struct upstream_signal *signal, http_client_done done,
                                     void *context, struct error *error);
/* How far an exchange came, as upstream_reply_classify has it. */
enum upstream_transport upstream_transport(enum http_outcome outcome);

struct upstream_secrets { /* borrowed for the call; "": none */
    const char *seek_token;
    const char *access_tokens[2]; /* that the request may have carried */
};
/* What SEEK's answer means. Should SEEK repeat a secret of the request, it is neither in the
 * verdict's texts nor, but for the seek-token, in the log of LOG_UPSTREAM=full. */
void upstream_read_answer(const struct upstream *upstream, const struct http_exchange *exchange,
                          const char *request_id, const struct upstream_secrets *secrets,
                          int64_t wall_ms, struct verdict *out);

/* `body` is that of access_token_request. */
MUST_CHECK bool upstream_fetch_token(const struct upstream *upstream, struct http_client *client,
                                     const char *body, size_t body_length, http_client_done done,
                                     void *context, struct error *error);
/* Logs the answer when LOG_UPSTREAM=full. */
void upstream_note_token_answer(const struct upstream *upstream,
                                const struct http_exchange *exchange);
