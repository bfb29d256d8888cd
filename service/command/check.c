/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `check`: the things that must work before an event can be delivered, tried for real and in the
 * order in which they matter. A failed one does not end the check: one run shows everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json_repair.h"
#include "lib/base/private_directory.h"
#include "lib/base/redaction.h"
#include "lib/base/rfc3339.h"
#include "lib/net/tls_server.h"

#include "service/command/blocking_request.h"
#include "service/command/check_parts.h"
#include "service/command/command.h"
#include "service/command/printing.h"
#include "service/domain/mutation.h"
#include "service/domain/upstream_reply.h"
#include "service/outbound/access_token.h"
#include "service/outbound/issuer_answer.h"
#include "service/outbound/upstream.h"

enum { REQUEST_BYTES_MAX = 128 * 1024 };

static const char playground_audience[] = "https://test.graphql.seek.com";

/* Only the directory: the journal in it may be a running service's. */
static bool check_spool(const struct config *config)
{
    struct error error;
    if (config->spool_dir == NULL)
        return true;
    if (check_is_of_another(config->spool_dir, "spool", "SEEK_SIGNAL_SPOOL_DIR"))
        return true;
    int fd = private_directory_open(config->spool_dir, &error);
    if (fd < 0)
        return check_report(false, "spool", "SEEK_SIGNAL_SPOOL_DIR: %s", error.message);
    (void)close(fd);
    return check_report(true, "spool", "%s can be used", config->spool_dir);
}

/* The files of the API listener, and until when they are good. */
static bool check_tls(const struct config *config)
{
    struct error error;
    if (config->tls_cert_file == NULL)
        return true;
    const struct tls_server_files files = {.certificate = config->tls_cert_file,
                                           .key = config->tls_key_file,
                                           .client_ca = config->tls_client_ca_file};
    AUTO(tls_server) *server = tls_server_create(&files, &error);
    if (server == NULL)
        return check_report(false, "TLS", "%s", error.message);
    struct tls_server_status status;
    char expires_at[RFC3339_BYTES];
    tls_server_status(server, &status);
    rfc3339_format(status.expires_at_ms, expires_at);
    bool is_valid = status.expires_at_ms > clock_wall_ms();
    return check_report(
        is_valid, "TLS",
        is_valid
            ? "the certificate in %s is valid until %s"
            : "the certificate in %s expired at %s: put the new one and its key into the files",
        config->tls_cert_file, expires_at);
}

/* --- SEEK ---------------------------------------------------------------------------------------
 */

struct check_target {
    const char *url, *proxy; /* as http_transfer has them */
    size_t answer_bytes_max; /* as the service has it */
};

/* `authorization`: a header line; "": none. */
static bool post(const struct config *config, struct check_target place, const char *authorization,
                 const struct buffer *body, struct blocking_answer *answer, struct error *error)
{
    const char *const headers[] = {"Content-Type: application/json",
                                   authorization[0] != '\0' ? authorization : NULL, NULL};
    const struct http_client_options options = {
        .ca_file = config->ca_file,
        .connections_max = 1,
        .connect_timeout_ms = upstream_connect_timeout_ms(config->request_timeout_ms)};
    const struct http_transfer transfer = {
        .url = place.url,
        .proxy = place.proxy,
        .body = body->bytes,
        .body_length = body->length,
        .headers = headers,
        .user_agent = config->user_agent,
        .timeout_ms = config->request_timeout_ms,
        .answer_bytes_max = place.answer_bytes_max,
    };
    return blocking_request(&options, transfer, answer, error);
}

/* Fetches an access token the way the workers do, so that what is said here is what they would
 * meet. */
static bool fetch_access_token(const struct config *config, struct access_token *token,
                               struct error *error)
{
    const struct check_target place = {config->token_url, config->token_proxy,
                                       ISSUER_ANSWER_BYTES_MAX};
    struct buffer body;
    struct blocking_answer answer = {.status = 0};
    buffer_init(&body, REQUEST_BYTES_MAX);
    buffer_init(&answer.body, 0);
    bool is_fetched =
        access_token_request(token, &body, error) && post(config, place, "", &body, &answer, error);
    if (is_fetched) {
        const struct http_exchange exchange = {
            .outcome = answer.outcome,
            .status = answer.status,
            .body = answer.body.bytes,
            .body_length = answer.body.length,
            .content_type = answer.content_type,
            .detail = answer.detail,
        };
        is_fetched = access_token_refreshed(token, &exchange, clock_monotonic_ms(), 0, error);
    }
    buffer_wipe(&answer.body);
    buffer_fini(&answer.body);
    buffer_wipe(&body);
    buffer_fini(&body);
    return is_fetched;
}

/* Its header line goes to `line` when there is one. */
static bool check_access_token(const struct config *config, struct buffer *line)
{
    struct error error;
    uint64_t generation;
    int64_t wait_ms;
    const struct access_token_options options = {
        .audience = config->audience,
        .client_id = config->client_id,
        .client_secret = config->client_secret,
        .retry_base_ms = config->retry_base_ms,
        .retry_max_ms = config->retry_max_ms,
        .outage_max_ms = config->retry_max_ms,
        .refresh_timeout_ms = config->request_timeout_ms,
    };
    AUTO(access_token) *token = access_token_create(&options, &error);
    if (token == NULL || !fetch_access_token(config, token, &error))
        return check_report(false, "access token", "%s: %s", config->token_url, error.message);
    struct access_token_status status;
    access_token_status(token, clock_monotonic_ms(), &status);
    (void)access_token_acquire(token, clock_monotonic_ms(), line, &generation, &wait_ms);
    return check_report(true, "access token", "%s gave one, valid for %lld s", config->token_url,
                        (long long)(status.expires_in_ms / 1000));
}

/* What to look at, by what SEEK or somebody in its place said. */
static const char *hint(const struct verdict *verdict)
{
    switch (verdict->class) {
    case VERDICT_AUTH:
        return "SEEK does not take this access token: do CLIENT_ID, CLIENT_SECRET and AUDIENCE "
               "belong together?";
    case VERDICT_THROTTLED:
        return "SEEK is rate-limiting us: try again later";
    case VERDICT_REFUSED:
        return "SEEK refuses it: are these credentials allowed to send signals?";
    case VERDICT_MISCONFIGURED:
    case VERDICT_UNREADABLE:
        return "is GRAPHQL_URL right, or does a proxy or firewall answer?";
    case VERDICT_DELIVERED:
        return "this is not an answer to the query for its version";
    case VERDICT_TRANSIENT:
    case VERDICT_CLASS_COUNT:
        break;
    }
    return "SEEK has trouble of its own: try again later";
}

static bool report_answer(const struct config *config, const struct blocking_answer *answer,
                          const char *access_token)
{
    const char *const secrets[] = {access_token};
    const struct redaction redaction = {secrets, 1};
    AUTO(json) *body =
        json_parse_repaired(answer->body.bytes, answer->body.length, UPSTREAM_DEPTH_MAX, NULL);
    struct json_text version;
    if (body != NULL && answer->status / 100 == 2 &&
        json_member_text(json_member(json_root(body), "data"), "version", &version)) {
        bool may_show = !redaction_is_needed(&redaction, version.bytes, version.length);
        return check_report(true, "SEEK", "%s answers%s, version %s", config->graphql_url,
                            access_token[0] != '\0' ? " with this access token" : "",
                            may_show ? version.bytes : "(hidden)");
    }
    const struct upstream_reply reply = {.transport = UPSTREAM_ANSWERED,
                                         .status = answer->status,
                                         .body = answer->body.bytes,
                                         .body_length = answer->body.length,
                                         .content_type = answer->content_type};
    struct verdict verdict;
    upstream_reply_classify(&reply, 0, &verdict);
    redaction_apply(&redaction, verdict.message, sizeof verdict.message);
    if (!verdict.is_code_known)
        redaction_apply(&redaction, verdict.code, sizeof verdict.code);
    if (!verdict.has_errors) /* the message has the status */
        return check_report(false, "SEEK", "%s: %.600s; %s", config->graphql_url, verdict.message,
                            hint(&verdict));
    return check_report(false, "SEEK", "%s answered HTTP %u, %s: %.600s; %s", config->graphql_url,
                        answer->status, verdict.code, verdict.message, hint(&verdict));
}

/* The words that the service itself has for it. */
static void report_silence(const struct config *config, const struct blocking_answer *answer)
{
    const struct upstream_reply reply = {.transport = upstream_transport(answer->outcome),
                                         .status = answer->status,
                                         .transport_detail = answer->detail};
    struct verdict verdict;
    upstream_reply_classify(&reply, 0, &verdict);
    (void)check_report(false, "SEEK", "%s: %.600s", config->graphql_url, verdict.message);
}

/* With the access token, if there is one: that it was given says nothing of whether SEEK takes it.
 */
static bool check_graphql(const struct config *config, const char *authorization)
{
    const size_t start_length = sizeof ACCESS_TOKEN_LINE_START - 1;
    const char *access_token =
        strlen(authorization) > start_length ? authorization + start_length : "";
    const struct check_target place = {config->graphql_url, config->graphql_proxy,
                                       UPSTREAM_ANSWER_BYTES_MAX};
    struct error error;
    struct blocking_answer answer = {.status = 0};
    struct buffer query;
    buffer_init(&query, REQUEST_BYTES_MAX);
    buffer_init(&answer.body, 0);
    bool is_fine = false;
    if (!buffer_append_text(&query, mutation_version_query, &error) ||
        !post(config, place, authorization, &query, &answer, &error))
        (void)check_report(false, "SEEK", "%s: %s", config->graphql_url, error.message);
    else if (answer.outcome != HTTP_ANSWERED)
        report_silence(config, &answer);
    else
        is_fine = report_answer(config, &answer, access_token);
    if (answer.outcome == HTTP_ANSWERED)
        check_seek_clock(answer.date);
    buffer_fini(&query);
    buffer_fini(&answer.body);
    return is_fine;
}

static bool ask_collector(const struct collector_options *options, struct error *error)
{
    AUTO(collector) *collector = collector_create(options, error);
    struct buffer body;
    size_t rejected;
    buffer_init(&body, strlen(otlp_empty_request));
    if (collector != NULL) /* one try */
        collector_stop(collector, clock_monotonic_ms() + options->timeout_ms);
    bool is_taken = collector != NULL && buffer_append_text(&body, otlp_empty_request, error) &&
                    collector_send(collector, &body, &rejected, error);
    buffer_fini(&body);
    return is_taken;
}

/* Nothing depends on it, so it does not count. */
static void check_collector(const struct config *config)
{
    struct error error;
    if (config->tracing.collector.url == NULL)
        return;
    if (ask_collector(&config->tracing.collector, &error))
        (void)check_report(true, "collector", "takes spans");
    else
        check_note("collector", "%s; signals are sent without it", error.message);
}

static void name_proxy(const struct config *config)
{
    const char *proxy = config->graphql_proxy != NULL ? config->graphql_proxy : config->token_proxy;
    if (proxy != NULL)
        check_note("proxy", "SEEK is reached through the proxy %s", proxy);
}

static void explain_playground(const struct config *config)
{
    if (strcmp(config->audience, playground_audience) != 0)
        return;
    check_note("Playground",
               "AUDIENCE is SEEK's Playground. There every mutation ends in FORBIDDEN after its "
               "input was found valid, so an event that dies with FORBIDDEN shows that everything "
               "on this side is right. Live needs AUDIENCE https://graphql.seek.com and live "
               "credentials.");
}

int command_check(const struct config *config, const struct command_arguments *arguments)
{
    struct error error;
    check_report_begin(arguments->is_json);
    (void)check_report(true, "settings", "valid");
    if (!http_client_startup(&error)) {
        (void)check_report(false, "libcurl", "%s", error.message);
        return 1;
    }
    bool are_listeners_fine = check_listeners(config);
    bool is_redis_fine = check_redis(config);
    bool is_spool_fine = check_spool(config);
    bool is_tls_fine = check_tls(config);
    name_proxy(config);
    struct buffer authorization;
    buffer_init(&authorization, REQUEST_BYTES_MAX);
    bool is_token_fine = check_access_token(config, &authorization);
    bool is_graphql_fine = check_graphql(config, authorization.bytes);
    buffer_wipe(&authorization);
    buffer_fini(&authorization);
    bool is_receiver_fine = check_receiver(config);
    check_collector(config);
    explain_playground(config);
    http_client_cleanup();
    bool is_all_fine = are_listeners_fine && is_redis_fine && is_spool_fine && is_tls_fine &&
                       is_token_fine && is_graphql_fine && is_receiver_fine;
    return is_all_fine ? 0 : 1;
}
