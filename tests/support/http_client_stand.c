/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/http_client_stand.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"

struct http_client_stand {
    struct fake_http *server;   /* owned */
    struct http_client *client; /* owned; NULL once destroyed */
    /* The server's threads and the test, holding the lock. */
    struct {
        pthread_mutex_t lock;
        struct fake_answer answer;
        char head[4096], body[1024]; /* of the last request */
        size_t body_length;
    } shared;
};

/* --- the server -------------------------------------------------------------------- */

static struct fake_answer play(void *context, const struct fake_request *request)
{
    struct http_client_stand *stand = context;
    pthread_mutex_lock(&stand->shared.lock);
    (void)snprintf(stand->shared.head, sizeof stand->shared.head, "%s", request->head);
    (void)snprintf(stand->shared.body, sizeof stand->shared.body, "%s", request->body);
    stand->shared.body_length = request->body_length;
    struct fake_answer answer = stand->shared.answer;
    pthread_mutex_unlock(&stand->shared.lock);
    return answer;
}

void will_answer(struct http_client_stand *stand, struct fake_answer answer)
{
    pthread_mutex_lock(&stand->shared.lock);
    stand->shared.answer = answer;
    pthread_mutex_unlock(&stand->shared.lock);
}

struct fake_request last_request(struct http_client_stand *stand)
{
    pthread_mutex_lock(&stand->shared.lock);
    struct fake_request request = {.head = stand->shared.head,
                                   .body = stand->shared.body,
                                   .body_length = stand->shared.body_length};
    pthread_mutex_unlock(&stand->shared.lock);
    return request;
}

/* --- life -------------------------------------------------------------------------- */

static struct event_loop *loop; /* of the program */
static unsigned running;        /* transfers of all clients: they are in one loop */

int http_client_stand_begin(void **state)
{
    (void)state;
    loop = event_loop_create(NULL);
    return loop != NULL && http_client_startup(NULL) ? 0 : -1;
}

int http_client_stand_finish(void **state)
{
    (void)state;
    http_client_cleanup();
    event_loop_destroy(loop);
    return 0;
}

struct event_loop *loop_of_clients(void)
{
    return loop;
}

struct http_client *client_trusting(const char *ca_file)
{
    const struct http_client_options options = {.ca_file = ca_file,
                                                .connections_max = CLIENT_CONNECTIONS_MAX,
                                                .connection_life_max_s = 60,
                                                .connect_timeout_ms = CLIENT_TIMEOUT_MS};
    struct http_client *client = http_client_create(&options, loop, NULL);
    assert_non_null(client);
    return client;
}

int http_client_stand_set_up(void **state)
{
    struct http_client_stand *stand = calloc(1, sizeof *stand);
    assert_non_null(stand);
    pthread_mutex_init(&stand->shared.lock, NULL);
    stand->server = fake_http_start(play, stand);
    stand->client = client_trusting(NULL);
    *state = stand;
    running = 0;
    return 0;
}

int http_client_stand_tear_down(void **state)
{
    struct http_client_stand *stand = *state;
    http_client_destroy(stand->client);
    fake_http_stop(stand->server);
    pthread_mutex_destroy(&stand->shared.lock);
    free(stand);
    return 0;
}

struct http_client *client_of(const struct http_client_stand *stand)
{
    return stand->client;
}

struct fake_http *server_of(const struct http_client_stand *stand)
{
    return stand->server;
}

const char *url_of(const struct http_client_stand *stand)
{
    static char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/graphql", fake_http_port(stand->server));
    return url;
}

void destroy_client_of(struct http_client_stand *stand)
{
    http_client_destroy(stand->client);
    stand->client = NULL;
}

/* --- transfers --------------------------------------------------------------------- */

static void keep(void *context, const struct http_exchange *exchange)
{
    struct http_result *result = context;
    result->calls++;
    result->outcome = exchange->outcome;
    result->status = exchange->status;
    result->body_length = exchange->body_length;
    result->duration_us = exchange->duration_us;
    assert_int_equal(strlen(exchange->body), exchange->body_length);
    (void)snprintf(result->body, sizeof result->body, "%s", exchange->body);
    (void)snprintf(result->content_type, sizeof result->content_type, "%s", exchange->content_type);
    (void)snprintf(result->retry_after, sizeof result->retry_after, "%s",
                   exchange->retry_after != NULL ? exchange->retry_after : "(absent)");
    (void)snprintf(result->detail, sizeof result->detail, "%s", exchange->detail);
}

struct http_transfer transfer_to(const char *url, struct http_result *result)
{
    return (struct http_transfer){.url = url,
                                  .user_agent = "tester/1",
                                  .timeout_ms = CLIENT_TIMEOUT_MS,
                                  .answer_bytes_max = CLIENT_ANSWER_MAX,
                                  .done = keep,
                                  .context = result};
}

struct counted {
    void (*done)(void *context, const struct http_exchange *exchange);
    void *context;
};

static void count_end(void *context, const struct http_exchange *exchange)
{
    struct counted *counted = context;
    struct counted copy = *counted;
    free(counted);
    running--;
    copy.done(copy.context, exchange);
}

void must_start(struct http_client *client, const struct http_transfer *transfer)
{
    struct http_transfer wanted = *transfer;
    struct counted *counted = malloc(sizeof *counted);
    struct error error;
    assert_non_null(counted);
    *counted = (struct counted){transfer->done, transfer->context};
    wanted.done = count_end;
    wanted.context = counted;
    if (!http_client_start(client, &wanted, &error))
        fail_msg("%s", error.message);
    running++;
}

void must_turn(struct http_client *client, int64_t timeout_ms)
{
    int64_t wait_ms = http_client_timeout_ms(client);
    event_loop_poll(loop, clock_sooner_ms(wait_ms, timeout_ms));
    http_client_turn(client);
}

void must_finish_all(struct http_client *client)
{
    int64_t until_ms = clock_monotonic_ms() + CLIENT_PATIENCE_MS;
    while (running > 0) {
        assert_true(clock_monotonic_ms() < until_ms);
        must_turn(client, 1000);
    }
}

struct http_result must_exchange(struct http_client *client, const struct http_transfer *transfer)
{
    struct http_result result = {0};
    struct http_transfer kept = *transfer;
    kept.context = &result;
    must_start(client, &kept);
    must_finish_all(client);
    assert_int_equal(result.calls, 1);
    return result;
}

struct http_result must_get(struct http_client_stand *stand, struct fake_answer answer)
{
    will_answer(stand, answer);
    const struct http_transfer transfer = transfer_to(url_of(stand), NULL);
    return must_exchange(stand->client, &transfer);
}
