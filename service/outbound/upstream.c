/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

#include "service/domain/mutation.h"

enum {
    MUTATION_BYTES_MAX = 64 * 1024, /* a seek-token of 4 KiB, all of it escaped, and the rest */
    ANSWER_BYTES_MAX = 256 * 1024,
    TOKEN_ANSWER_BYTES_MAX = 64 * 1024,
    LINE_BYTES = 160,
    MASKED_BYTES_MIN = 8, /* what is shorter would be found in every word */
};

static const char content_type[] = "Content-Type: application/json";
static const char hidden_authorization[] = "Authorization: Bearer [hidden]";

static const enum upstream_transport transports[] = {
    [HTTP_ANSWERED] = UPSTREAM_ANSWERED,           [HTTP_NOT_RESOLVED] = UPSTREAM_NOT_RESOLVED,
    [HTTP_NOT_CONNECTED] = UPSTREAM_NO_CONNECTION, [HTTP_TLS_FAILED] = UPSTREAM_TLS_FAILED,
    [HTTP_TIMED_OUT] = UPSTREAM_TIMED_OUT,         [HTTP_BROKEN] = UPSTREAM_BROKEN,
    [HTTP_ANSWER_TOO_LARGE] = UPSTREAM_TOO_LARGE,
};

/* --- what must not be seen --------------------------------------------------------- */

static void mask(char *text, const char *secret)
{
    size_t length = strlen(secret);
    if (length < MASKED_BYTES_MIN)
        return;
    for (char *found = text; (found = strstr(found, secret)) != NULL; found += length)
        memset(found, '*', length);
}

static void mask_access_tokens(char *text, const struct upstream_secrets *secrets)
{
    mask(text, secrets->access_tokens[0]);
    mask(text, secrets->access_tokens[1]);
}

/* Whatever a peer repeats of an Authorization header. */
static void mask_bearer(char *text)
{
    static const char word[] = "Bearer ";
    for (char *found = text; (found = strstr(found, word)) != NULL;) {
        found += strlen(word);
        size_t length = strcspn(found, " \t\r\n\"'\\,;<>");
        memset(found, '*', length);
        found += length;
    }
}

/* --- the signal -------------------------------------------------------------------- */

struct header_lines {
    char accept_language[LINE_BYTES];
    char request_id[LINE_BYTES];
    char session_id[LINE_BYTES];
    char traceparent[LINE_BYTES];
};

static bool write_line(char line[LINE_BYTES], const char *name, const char *value)
{
    return snprintf(line, LINE_BYTES, "%s: %s", name, value) < LINE_BYTES;
}

/* SEEK's session is one interaction: all attempts for one event. */
static bool write_lines(const struct upstream *upstream, const struct upstream_signal *signal,
                        struct header_lines *lines)
{
    return write_line(lines->accept_language, "Accept-Language", upstream->accept_language) &&
           write_line(lines->request_id, "X-Request-Id", signal->request_id) &&
           write_line(lines->session_id, "X-Session-Id", signal->event_id) &&
           write_line(lines->traceparent, "traceparent", signal->traceparent);
}

static void log_request(const struct upstream *upstream, const struct upstream_signal *signal,
                        const struct header_lines *lines, const char *body)
{
    if (!upstream->is_logged)
        return;
    log_info("upstream_request", "sent to SEEK", LOG_TEXT("request_id", signal->request_id),
             LOG_TEXT("url", upstream->graphql_url), LOG_TEXT("accept", lines->accept_language),
             LOG_TEXT("authorization", hidden_authorization), LOG_TEXT("content", content_type),
             LOG_TEXT("user_agent", upstream->user_agent), LOG_TEXT("session", lines->session_id),
             LOG_TEXT("traceparent", signal->traceparent), LOG_TEXT("body", body));
}

static bool start_signal(const struct upstream *upstream, struct http_client *client,
                         const struct upstream_signal *signal, const struct buffer *body,
                         http_client_done done, void *context, struct error *error)
{
    struct header_lines lines;
    if (!write_lines(upstream, signal, &lines))
        return error_set(error, ERROR_INVALID, "a header line over %d bytes", LINE_BYTES);
    const char *const headers[] = {
        lines.accept_language,
        signal->authorization,
        content_type,
        lines.request_id,
        lines.session_id,
        signal->traceparent[0] != '\0' ? lines.traceparent : NULL,
        NULL,
    };
    const struct http_transfer transfer = {
        .url = upstream->graphql_url,
        .body = body->bytes,
        .body_length = body->length,
        .headers = headers,
        .user_agent = upstream->user_agent,
        .timeout_ms = upstream->timeout_ms,
        .answer_bytes_max = ANSWER_BYTES_MAX,
        .done = done,
        .context = context,
    };
    if (!http_client_start(client, &transfer, error))
        return false;
    log_request(upstream, signal, &lines, body->bytes);
    return true;
}

bool upstream_send_signal(const struct upstream *upstream, struct http_client *client,
                          const struct upstream_signal *signal, http_client_done done,
                          void *context, struct error *error)
{
    struct buffer body;
    buffer_init(&body, MUTATION_BYTES_MAX);
    bool is_started = mutation_write(&body, signal->seek_token, signal->completed_at_ms, error) &&
                      start_signal(upstream, client, signal, &body, done, context, error);
    buffer_fini(&body);
    return is_started;
}

static void log_answer(const struct upstream *upstream, const struct http_exchange *exchange,
                       const char *request_id, const char *body)
{
    if (!upstream->is_logged)
        return;
    log_info("upstream_answer", "came from SEEK", LOG_TEXT("request_id", request_id),
             LOG_INT("http_status", exchange->status),
             LOG_TEXT("content_type", exchange->content_type),
             LOG_TEXT("retry_after", exchange->retry_after), LOG_TEXT("failure", exchange->detail),
             LOG_INT("duration_ms", exchange->duration_us / 1000), LOG_TEXT("body", body));
}

void upstream_read_answer(const struct upstream *upstream, const struct http_exchange *exchange,
                          const char *request_id, const struct upstream_secrets *secrets,
                          int64_t wall_ms, struct verdict *out)
{
    /* Masked before it is understood: what is cut later, or falls into two texts, is hidden too. */
    char *body = malloc(exchange->body_length + 1);
    if (body != NULL) {
        memcpy(body, exchange->body, exchange->body_length + 1);
        mask_access_tokens(body, secrets);
        mask_bearer(body);
        log_answer(upstream, exchange, request_id, body);
        mask(body, secrets->seek_token);
    }
    const struct upstream_reply reply = {
        .transport = transports[exchange->outcome],
        .status = exchange->status,
        .body = body != NULL ? body : "", /* no memory: not understood, so it is sent again */
        .body_length = body != NULL ? exchange->body_length : 0,
        .retry_after = exchange->retry_after,
        .transport_detail = exchange->detail,
    };
    upstream_reply_classify(&reply, wall_ms, out);
    free(body);
    /* In JSON a secret can be written with escapes. */
    mask(out->code, secrets->seek_token);
    mask_access_tokens(out->code, secrets);
    mask(out->message, secrets->seek_token);
    mask_access_tokens(out->message, secrets);
    mask_bearer(out->message);
}

/* --- the access token -------------------------------------------------------------- */

bool upstream_fetch_token(const struct upstream *upstream, struct http_client *client,
                          const char *body, size_t body_length, http_client_done done,
                          void *context, struct error *error)
{
    static const char *const headers[] = {content_type, NULL};
    const struct http_transfer transfer = {
        .url = upstream->token_url,
        .body = body,
        .body_length = body_length,
        .headers = headers,
        .user_agent = upstream->user_agent,
        .timeout_ms = upstream->timeout_ms,
        .answer_bytes_max = TOKEN_ANSWER_BYTES_MAX,
        .done = done,
        .context = context,
    };
    if (!http_client_start(client, &transfer, error))
        return false;
    if (upstream->is_logged)
        log_info("upstream_request", "sent to the access token's issuer",
                 LOG_TEXT("url", upstream->token_url), LOG_TEXT("content", content_type),
                 LOG_TEXT("user_agent", upstream->user_agent),
                 LOG_TEXT("body", "[client credentials, hidden]"));
    return true;
}

/* Only members that cannot be credentials: an issuer's error text has been seen to repeat the
 * secret, so it is left to access_token_refreshed, which knows what to look for. */
void upstream_note_token_answer(const struct upstream *upstream,
                                const struct http_exchange *exchange)
{
    if (!upstream->is_logged)
        return;
    AUTO(json) *json = json_parse(exchange->body, exchange->body_length, NULL);
    int64_t expires_in_s = -1;
    if (json != NULL)
        (void)json_member_integer(json_root(json), "expires_in", &expires_in_s);
    log_info("upstream_answer", "came from the access token's issuer",
             LOG_INT("http_status", exchange->status),
             LOG_TEXT("content_type", exchange->content_type),
             LOG_TEXT("failure", exchange->detail), LOG_INT("expires_in_s", expires_in_s),
             LOG_INT("duration_ms", exchange->duration_us / 1000),
             LOG_TEXT("body", "[access token, hidden]"));
}
