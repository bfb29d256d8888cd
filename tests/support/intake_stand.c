/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/intake_stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include "tests/support/specification.h"

enum { PATIENCE_MS = 10000, POLL_US = 1000 };

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    (void)error;
    redis_server_url(((struct intake_stand *)context)->redis, out);
    return true;
}

struct intake_stand *intake_stand_create(void)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    struct intake_stand *stand = calloc(1, sizeof *stand);
    assert_non_null(stand);
    log_configure(LOG_ERROR, LOG_FORMAT_TEXT);
    stand->redis = redis_server_start(REDIS_SERVER_UNIX, durable);
    assert_true(listen_address_parse("127.0.0.1:0", &stand->address, NULL));
    stand->view.version = "1.2.3";
    stand->view.started_at_ms = clock_wall_ms();
    stand->view.started_monotonic_ms = clock_monotonic_ms();
    stand->options = (struct intake_pool_options){
        .listen_address = &stand->address,
        .thread_count = 1,
        .body_bytes_max = 4 * 1024 * 1024,
        .header_bytes_max = 8192,
        .connections_max = 1000,
        .idle_timeout_s = 30,
        .read_timeout_ms = 5000,
        .batch_max = 1000,
        .store = {.locate = locate,
                  .context = stand,
                  .ttl_ms = 3600000,
                  .lease_ms = 60000,
                  .age_max_ms = 3600000},
        .view = &stand->view,
    };
    return stand;
}

void intake_stand_launch(struct intake_stand *stand)
{
    struct error error;
    stand->pool = intake_pool_create(&stand->options, &error);
    if (stand->pool == NULL)
        fail_msg("%s", error.message);
    stand->view.intake_pool = stand->pool;
    stand->view.inbound_metrics = intake_pool_inbound_metrics(stand->pool);
    stand->metrics.count = 0;
    metric_registry_add(&stand->metrics, intake_pool_metrics(stand->pool));
    stand->view.metrics = &stand->metrics;
    assert_true(intake_pool_start(stand->pool, &error));
}

void intake_stand_start(struct intake_stand *stand)
{
    intake_stand_launch(stand);
    must_become_ready(stand);
}

void intake_stand_destroy(struct intake_stand *stand)
{
    intake_pool_destroy(stand->pool);
    redis_server_stop(stand->redis);
    free(stand);
}

static void give_time(void *context)
{
    (void)context;
    (void)usleep(POLL_US);
}

struct raw_client *intake_stand_connect(struct intake_stand *stand)
{
    if (stand->address.is_unix)
        return raw_client_open_unix(stand->address.host, give_time, NULL);
    return raw_client_open(intake_pool_port(stand->pool), give_time, NULL);
}

void intake_stand_send(struct raw_client *client, const char *method, const char *target,
                       const char *headers, const char *body)
{
    char length[64] = "";
    if (body != NULL)
        (void)snprintf(length, sizeof length, "Content-Length: %zu\r\n", strlen(body));
    raw_client_send(client, method);
    raw_client_send(client, " ");
    raw_client_send(client, target);
    raw_client_send(client, " HTTP/1.1\r\nHost: localhost\r\n");
    raw_client_send(client, headers);
    raw_client_send(client, length);
    raw_client_send(client, "\r\n");
    if (body != NULL)
        raw_client_send(client, body);
}

const char *intake_stand_call(struct intake_stand *stand, const char *method, const char *target,
                              const char *headers, const char *body)
{
    struct raw_client *client = intake_stand_connect(stand);
    intake_stand_send(client, method, target, headers, body);
    const char *answer =
        strcmp(method, "HEAD") == 0 ? raw_client_answer_to_head(client) : raw_client_answer(client);
    raw_client_destroy(client);
    return answer;
}

const char *intake_stand_post(struct intake_stand *stand, const char *body)
{
    return intake_stand_call(stand, "POST", "/v1/events", JSON_TYPE, body);
}

int answer_status(const char *answer)
{
    static const char version[] = "HTTP/1.1 ";
    assert_memory_equal(answer, version, sizeof version - 1);
    return atoi(answer + sizeof version - 1);
}

const char *answer_body(const char *answer)
{
    const char *blank = strstr(answer, "\r\n\r\n");
    assert_non_null(blank);
    return blank + 4;
}

void must_answer(const char *answer, int status, const char *part)
{
    if (answer_status(answer) != status || strstr(answer, part) == NULL)
        fail_msg("expected %d with %s, got %.2000s", status, part, answer);
}

static unsigned threads_ready(struct intake_stand *stand)
{
    struct intake_pool_status status;
    intake_pool_status(stand->pool, &status);
    return status.threads_ready;
}

void must_become_ready(struct intake_stand *stand)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (threads_ready(stand) < stand->options.thread_count) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("not ready in time");
        give_time(NULL);
    }
}

void must_become_unready(struct intake_stand *stand)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (threads_ready(stand) > 0) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("still ready");
        give_time(NULL);
    }
}

void must_hold(struct intake_stand *stand, size_t open_requests)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    struct intake_pool_status status;
    for (;;) {
        intake_pool_status(stand->pool, &status);
        if (status.open_requests == open_requests)
            return;
        if (clock_monotonic_ms() > until_ms)
            fail_msg("%zu requests are open instead of %zu", status.open_requests, open_requests);
        give_time(NULL);
    }
}

uint64_t intake_stand_script_calls(struct intake_stand *stand)
{
    const char *stats = redis_server_cli(stand->redis, "INFO commandstats");
    const char *calls = strstr(stats, "cmdstat_evalsha:calls=");
    return calls != NULL ? strtoull(calls + strlen("cmdstat_evalsha:calls="), NULL, 10) : 0;
}
