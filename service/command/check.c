/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * `check`: the things that must work before an event can be delivered, tried for real and in the
 * order in which they matter. A failed one does not end the check: one run shows everything.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"

#include "service/command/blocking_request.h"
#include "service/command/command.h"
#include "service/domain/mutation.h"
#include "service/outbound/access_token.h"
#include "service/redis_location.h"

enum { REDIS_PATIENCE_MS = 5000, ANSWER_BYTES_MAX = 1 << 16 };

static const char playground_audience[] = "https://test.graphql.seek.com";

__attribute__((format(printf, 3, 4))) static bool report(bool is_fine, const char *what,
                                                         const char *format, ...)
{
    (void)printf("%-5s %-13s ", is_fine ? "ok" : "FAIL", what);
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    return is_fine;
}

/* --- Redis --------------------------------------------------------------------------------------
 */

/* Turns the store until preflight has said something, or patience ends. */
static void wait_for_finding(struct store *store, struct store_health *health)
{
    const int64_t deadline_ms = clock_monotonic_ms() + REDIS_PATIENCE_MS;
    int64_t now_ms = clock_monotonic_ms();
    store_turn(store, now_ms, false, false);
    do {
        struct redis_interest interest;
        store_interest(store, now_ms, &interest);
        struct pollfd fd = {.fd = interest.fd,
                            .events = (short)((interest.want_read ? POLLIN : 0) |
                                              (interest.want_write ? POLLOUT : 0))};
        int wait_ms =
            interest.timeout_ms < 0 || interest.timeout_ms > 100 ? 100 : (int)interest.timeout_ms;
        (void)poll(&fd, 1, wait_ms); /* an interruption is a turn like any other */
        now_ms = clock_monotonic_ms();
        bool is_broken = (fd.revents & (POLLERR | POLLHUP)) != 0;
        store_turn(store, now_ms, is_broken || (fd.revents & POLLIN) != 0,
                   is_broken || (fd.revents & POLLOUT) != 0);
        store_health(store, health);
    } while (!health->is_ready && now_ms < deadline_ms);
}

static bool check_redis(const struct config *config)
{
    struct error error;
    AUTO(embedded_redis) *embedded = NULL;
    struct redis_location location = {.url = config->redis_url};
    if (config->redis_url == NULL) {
        embedded = embedded_redis_start(config->data_dir, &error);
        if (embedded == NULL)
            return report(false, "Redis", "%s", error.message);
        location.embedded = embedded;
    }
    const struct store_options options = {
        .locate = redis_location_find,
        .context = &location,
        .ca_file = config->redis_ca_file,
        .demand = config->durability,
        .ttl_ms = 1,
        .lease_ms = 1,
        .age_max_ms = 1,
        .role = "check",
    };
    AUTO(store) *store = store_create(&options, &error);
    if (store == NULL)
        return report(false, "Redis", "%s", error.message);
    struct store_health health = {0};
    wait_for_finding(store, &health);
    if (!health.is_ready)
        return report(false, "Redis", "%s", health.reason);
    return report(true, "Redis", "%s; an acknowledged event is durable at the level \"%s\"%s%s",
                  config->redis_url != NULL ? "reached" : "embedded one started",
                  durability_name(health.durability), *health.reason != '\0' ? "; note: " : "",
                  health.reason);
}

/* --- SEEK ---------------------------------------------------------------------------------------
 */

static bool post(const struct config *config, const char *url, const char *body, size_t length,
                 struct blocking_answer *answer, struct error *error)
{
    const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct http_client_options options = {.ca_file = config->ca_file,
                                                .connections_max = 1,
                                                .connect_timeout_ms = config->request_timeout_ms};
    const struct http_transfer transfer = {
        .url = url,
        .body = body,
        .body_length = length,
        .headers = headers,
        .user_agent = config->user_agent,
        .timeout_ms = config->request_timeout_ms,
    };
    return blocking_request(&options, transfer, answer, error);
}

/* Fetches an access token the way the workers do, so that what is said here is what they would
 * meet. */
static bool fetch_access_token(const struct config *config, struct access_token *token,
                               struct error *error)
{
    struct buffer body;
    struct blocking_answer answer;
    buffer_init(&body, ANSWER_BYTES_MAX);
    buffer_init(&answer.body, 0);
    bool is_fetched = access_token_request(token, &body, error) &&
                      post(config, config->token_url, body.bytes, body.length, &answer, error);
    if (is_fetched) {
        const struct http_exchange exchange = {
            .outcome = answer.outcome,
            .status = answer.status,
            .body = answer.body.bytes,
            .body_length = answer.body.length,
            .content_type = "",
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

static bool check_access_token(const struct config *config)
{
    struct error error;
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
        return report(false, "access token", "%s: %s", config->token_url, error.message);
    struct access_token_status status;
    access_token_status(token, clock_monotonic_ms(), &status);
    return report(true, "access token", "%s gave one, valid for %lld s", config->token_url,
                  (long long)(status.expires_in_ms / 1000));
}

static bool check_graphql(const struct config *config)
{
    struct error error;
    struct blocking_answer answer;
    bool is_fine = false;
    if (!post(config, config->graphql_url, mutation_version_query, strlen(mutation_version_query),
              &answer, &error)) {
        (void)report(false, "SEEK", "%s: %s", config->graphql_url, error.message);
    } else if (answer.outcome != HTTP_ANSWERED) {
        (void)report(false, "SEEK", "%s: %s", config->graphql_url, answer.detail);
    } else {
        AUTO(json) *body = json_parse(answer.body.bytes, answer.body.length, &error);
        const struct json_value *data = body != NULL ? json_member(json_root(body), "data") : NULL;
        struct json_text version;
        is_fine = data != NULL && json_member_text(data, "version", &version);
        if (is_fine)
            (void)report(true, "SEEK", "%s answers, version %s", config->graphql_url,
                         version.bytes);
        else
            (void)report(false, "SEEK",
                         "%s answered HTTP %u without a version: is GRAPHQL_URL right?",
                         config->graphql_url, answer.status);
    }
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
        (void)report(true, "collector", "takes spans");
    else
        (void)printf("note  collector     %s; signals are sent without it\n", error.message);
}

static void explain_playground(const struct config *config)
{
    if (strcmp(config->audience, playground_audience) != 0)
        return;
    (void)puts("note  Playground    AUDIENCE is SEEK's Playground. There every mutation ends in "
               "FORBIDDEN after its\n"
               "                    input was found valid, so an event that dies with FORBIDDEN "
               "shows that everything\n"
               "                    on this side is right. Live needs AUDIENCE "
               "https://graphql.seek.com and live credentials.");
}

int command_check(const struct config *config, const struct command_arguments *arguments)
{
    struct error error;
    (void)arguments;
    (void)report(true, "settings", "all can be used");
    if (!http_client_startup(&error)) {
        (void)report(false, "libcurl", "%s", error.message);
        return 1;
    }
    bool is_redis_fine = check_redis(config);
    bool is_token_fine = check_access_token(config);
    bool is_graphql_fine = check_graphql(config);
    check_collector(config);
    explain_playground(config);
    http_client_cleanup();
    return is_redis_fine && is_token_fine && is_graphql_fine ? 0 : 1;
}
