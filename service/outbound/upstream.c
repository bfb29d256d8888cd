/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/json_repair.h"
#include "lib/base/log.h"
#include "lib/base/redaction.h"

#include "service/domain/mutation.h"
#include "service/outbound/issuer_answer.h"

enum {
    MUTATION_BYTES_MAX = 64 * 1024, /* a seek-token of 4 KiB, all of it escaped, and the rest */
    LINE_BYTES = 160,
};

static const char content_type[] = "Content-Type: application/json";
static const char hidden_authorization[] = "Authorization: Bearer [hidden]";

static const enum upstream_transport transports[] = {
    [HTTP_ANSWERED] = UPSTREAM_ANSWERED,           [HTTP_NOT_RESOLVED] = UPSTREAM_NOT_RESOLVED,
    [HTTP_NOT_CONNECTED] = UPSTREAM_NO_CONNECTION, [HTTP_TLS_FAILED] = UPSTREAM_TLS_FAILED,
    [HTTP_TIMED_OUT] = UPSTREAM_TIMED_OUT,         [HTTP_BROKEN] = UPSTREAM_BROKEN,
    [HTTP_ANSWER_TOO_LARGE] = UPSTREAM_TOO_LARGE,  [HTTP_BAD_CODING] = UPSTREAM_BAD_CODING,
    [HTTP_PROXY_REFUSED] = UPSTREAM_PROXY_REFUSED, [HTTP_NOT_SENT] = UPSTREAM_NOT_SENT,
};

enum upstream_transport upstream_transport(enum http_outcome outcome)
{
    return transports[outcome];
}

/* --- what must not be seen --------------------------------------------------------- */

/* Whatever a peer repeats of an Authorization header. */
static void hide_bearer(char *text)
{
    static const char word[] = "Bearer ";
    for (char *found = text; (found = strcasestr(found, word)) != NULL;) {
        found += strlen(word);
        size_t length = strcspn(found, " \t\r\n\"'\\,;<>");
        memset(found, '*', length);
        found += length;
    }
}

/* Before it is shown, never before it is understood: a seek-token, which a candidate can choose,
 * may be any piece of an answer. */
static void hide_secrets(const struct upstream_secrets *secrets, bool may_show_seek_token,
                         char *text, size_t size)
{
    const char *const all[] = {secrets->access_tokens[0], secrets->access_tokens[1],
                               may_show_seek_token ? NULL : secrets->seek_token};
    const struct redaction redaction = {all, sizeof all / sizeof all[0]};
    redaction_apply(&redaction, text, size);
    hide_bearer(text);
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
    static const char between[] = ": ";
    size_t name_length = strlen(name), value_bytes = strlen(value) + 1;
    if (name_length + sizeof between - 1 + value_bytes > LINE_BYTES)
        return false;
    memcpy(line, name, name_length + 1); /* the next go over its end */
    memcpy(line + name_length, between, sizeof between - 1);
    memcpy(line + name_length + sizeof between - 1, value, value_bytes);
    return true;
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
    log_info("upstream_request", "Request to SEEK", LOG_TEXT("request_id", signal->request_id),
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
        .proxy = upstream->graphql_proxy,
        .body = body->bytes,
        .body_length = body->length,
        .headers = headers,
        .user_agent = upstream->user_agent,
        .timeout_ms = upstream->timeout_ms,
        .send_until_ms = signal->send_until_ms,
        .answer_bytes_max = UPSTREAM_ANSWER_BYTES_MAX,
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

static void log_shown_answer(const struct http_exchange *exchange, const char *request_id,
                             const char *body)
{
    log_info("upstream_answer", "Answer of SEEK", LOG_TEXT("request_id", request_id),
             LOG_INT("http_status", exchange->status),
             LOG_TEXT("content_type", exchange->content_type),
             LOG_TEXT("retry_after", exchange->retry_after), LOG_TEXT("failure", exchange->detail),
             LOG_INT("duration_ms", exchange->duration_us / 1000), LOG_TEXT("body", body));
}

static void log_answer(const struct upstream *upstream, const struct http_exchange *exchange,
                       const char *request_id, const struct upstream_secrets *secrets)
{
    if (!upstream->is_logged)
        return;
    size_t size = exchange->body_length + 1;
    char *body = malloc(size);
    if (body != NULL) {
        memcpy(body, exchange->body, size);
        hide_secrets(secrets, true, body, size);
    }
    log_shown_answer(exchange, request_id, body);
    free(body);
}

static void hide_in_verdict(const struct upstream_secrets *secrets, struct verdict *verdict)
{
    hide_secrets(secrets, false, verdict->message, sizeof verdict->message);
    /* What every answer of its kind has says nothing of this one. */
    if (!verdict->is_code_known)
        hide_secrets(secrets, false, verdict->code, sizeof verdict->code);
}

void upstream_read_answer(const struct upstream *upstream, const struct http_exchange *exchange,
                          const char *request_id, const struct upstream_secrets *secrets,
                          int64_t wall_ms, struct verdict *out)
{
    const struct upstream_reply reply = {
        .transport = upstream_transport(exchange->outcome),
        .status = exchange->status,
        .body = exchange->body,
        .body_length = exchange->body_length,
        .content_type = exchange->content_type,
        .retry_after = exchange->retry_after,
        .transport_detail = exchange->detail,
    };
    upstream_reply_classify(&reply, wall_ms, out);
    hide_in_verdict(secrets, out);
    log_answer(upstream, exchange, request_id, secrets);
}

/* --- the access token -------------------------------------------------------------- */

bool upstream_fetch_token(const struct upstream *upstream, struct http_client *client,
                          const char *body, size_t body_length, http_client_done done,
                          void *context, struct error *error)
{
    static const char *const headers[] = {content_type, NULL};
    const struct http_transfer transfer = {
        .url = upstream->token_url,
        .proxy = upstream->token_proxy,
        .body = body,
        .body_length = body_length,
        .headers = headers,
        .user_agent = upstream->user_agent,
        .timeout_ms = upstream->timeout_ms,
        .answer_bytes_max = ISSUER_ANSWER_BYTES_MAX,
        .done = done,
        .context = context,
    };
    if (!http_client_start(client, &transfer, error))
        return false;
    if (upstream->is_logged)
        log_info("upstream_request", "Request to the issuer of access tokens",
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
    AUTO(json) *json =
        json_parse_repaired(exchange->body, exchange->body_length, ISSUER_DEPTH_MAX, NULL);
    int64_t expires_in_s = -1;
    if (json != NULL)
        (void)json_member_integer(json_root(json), "expires_in", &expires_in_s);
    log_info("upstream_answer", "Answer of the issuer of access tokens",
             LOG_INT("http_status", exchange->status),
             LOG_TEXT("content_type", exchange->content_type),
             LOG_TEXT("failure", exchange->detail), LOG_INT("expires_in_s", expires_in_s),
             LOG_INT("duration_ms", exchange->duration_us / 1000),
             LOG_TEXT("body", "[access token, hidden]"));
}
