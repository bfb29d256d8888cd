/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Load, outages, limits and the end: what the intake does when things go wrong around it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"

#include "service/inbound/batch.h"
#include "service/inbound/census.h"

#include "tests/support/intake_stand.h"
#include "tests/support/specification.h"

enum { MANY = 60 };

/* A JSON array of `count` events; the caller frees it. */
static char *batch_of(size_t count, const char *prefix)
{
    char *text = malloc(count * 64 + 3);
    assert_non_null(text);
    char *end = text;
    *end++ = '[';
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s{\"applicationId\":\"%s-%zu\",\"token\":\"t\"}", i > 0 ? "," : "",
                       prefix, i);
    *end++ = ']';
    *end = '\0';
    return text;
}

static struct intake_stand *started(void)
{
    struct intake_stand *stand = intake_stand_create();
    intake_stand_start(stand);
    return stand;
}

static struct raw_client *send_event(struct intake_stand *stand, size_t number)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"applicationId\":\"A-%zu\",\"token\":\"t\"}", number);
    struct raw_client *client = intake_stand_connect(stand);
    intake_stand_send(client, "POST", "/v1/events", JSON_TYPE, body);
    return client;
}

static struct raw_client *send_batch(struct intake_stand *stand, size_t count, const char *prefix)
{
    char *body = batch_of(count, prefix);
    struct raw_client *client = intake_stand_connect(stand);
    intake_stand_send(client, "POST", "/v1/events", JSON_TYPE, body);
    free(body);
    return client;
}

/* The first events go to a frozen Redis; what arrives meanwhile goes together afterwards. */
static void commits_together_what_came_meanwhile(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    must_answer(intake_stand_post(stand, EVENT("first", "t")), 202, "");
    uint64_t before = intake_stand_script_calls(stand);
    int64_t began_ms = clock_monotonic_ms();
    redis_server_freeze(stand->redis);
    struct raw_client *clients[MANY];
    for (size_t i = 0; i < MANY; i++)
        clients[i] = send_event(stand, i);
    must_hold(stand, MANY);
    redis_server_thaw(stand->redis);
    for (size_t i = 0; i < MANY; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "\"A-%zu\"", i);
        must_answer(raw_client_answer(clients[i]), 202, id);
        raw_client_destroy(clients[i]);
    }
    uint64_t calls = intake_stand_script_calls(stand) - before;
    int64_t censuses = 1 + (clock_monotonic_ms() - began_ms) / CENSUS_INTERVAL_MS;
    assert_in_range(calls, 1, BATCH_CALLS_MAX + 1 + censuses); /* never all one by one */
    assert_string_equal(redis_server_cli(stand->redis, "ZCARD 'seek-signal:{0}:due'"), "61");
    intake_stand_destroy(stand);
}

static void splits_a_big_batch(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    stand->options.batch_max = 2500;
    intake_stand_start(stand);
    must_answer(intake_stand_post(stand, EVENT("first", "t")), 202, "");
    uint64_t before = intake_stand_script_calls(stand);
    char *body = batch_of(1200, "B");
    const char *answer = intake_stand_post(stand, body);
    assert_int_equal(answer_status(answer), 202);
    size_t accepted = 0;
    for (const char *rest = answer; (rest = strstr(rest, "\"accepted\"")) != NULL; rest++)
        accepted++;
    assert_int_equal(accepted, 1200);
    /* A census of the intake may fall between. */
    assert_in_range(intake_stand_script_calls(stand) - before, 2, 3);
    free(body);
    body = batch_of(2501, "C");
    must_answer(intake_stand_post(stand, body), 413, "\"code\":\"batch_too_long\"");
    free(body);
    intake_stand_destroy(stand);
}

static void refuses_more_than_it_can_hold(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    stand->options.open_events_max = 2;
    intake_stand_start(stand);
    redis_server_freeze(stand->redis);
    /* Nothing waits, so that any request is taken. */
    struct raw_client *sent = send_batch(stand, 7, "A");
    must_hold(stand, 1);
    /* Too few to follow at once, and nothing else waits; what is too much then is a third one. */
    struct raw_client *gathered = send_batch(stand, 3, "B");
    must_hold(stand, 2);
    const char *answer = intake_stand_post(stand, EVENT("C", "t"));
    must_answer(answer, 503, "\"code\":\"overloaded\"");
    must_answer(answer, 503, "Retry-After: 1\r\n");
    redis_server_thaw(stand->redis);
    assert_int_equal(raw_client_status(sent), 202);
    assert_int_equal(raw_client_status(gathered), 202);
    must_answer(intake_stand_post(stand, EVENT("C", "t")), 202, "accepted");
    raw_client_destroy(sent);
    raw_client_destroy(gathered);
    intake_stand_destroy(stand);
}

static void says_503_while_redis_hangs(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    redis_server_freeze(stand->redis);
    int64_t began_ms = clock_monotonic_ms();
    struct raw_client *single = send_event(stand, 1);
    const char *answer = intake_stand_post(stand, "[" EVENT("A", "t") "," EVENT("B", "b d") "]");
    must_answer(answer, 503, "\"code\":\"store_unavailable\"");
    must_answer(answer, 503, "\"retryable\":true");
    must_answer(answer, 503, "Retry-After: ");
    must_answer(raw_client_answer(single), 503, "\"code\":\"store_unavailable\"");
    raw_client_destroy(single);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 9000);
    must_become_unready(stand);
    /* From now on nobody waits for a time-out. */
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 503, "store_unavailable");
    must_answer(intake_stand_post(stand, "[" EVENT("A", "t") "]"), 503, "store_unavailable");
    must_answer(intake_stand_call(stand, "GET", "/v1/applications/A", "", NULL), 503, "");
    must_answer(intake_stand_call(stand, "GET", "/readyz", "", NULL), 503, "\"ready\":false");
    must_answer(intake_stand_call(stand, "GET", "/livez", "", NULL), 200, "\"live\":true");
    must_answer(intake_stand_call(stand, "GET", "/startupz", "", NULL), 200, "");
    must_answer(intake_stand_call(stand, "GET", "/v1/status", "", NULL), 200,
                "\"signals\":{\"due\":null");
    redis_server_thaw(stand->redis);
    must_become_ready(stand);
    assert_in_range(answer_status(intake_stand_post(stand, EVENT("A", "t"))), 200, 202);
    intake_stand_destroy(stand);
}

static void recovers_from_the_death_of_redis(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 202, "");
    redis_server_kill(stand->redis);
    must_become_unready(stand);
    must_answer(intake_stand_post(stand, EVENT("B", "t")), 503, "store_unavailable");
    redis_server_restart(stand->redis);
    must_become_ready(stand);
    must_answer(intake_stand_post(stand, EVENT("B", "t")), 202, "accepted");
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 200, "duplicate");
    const char *answer = intake_stand_call(stand, "GET", "/metrics", "", NULL);
    must_answer(answer, 200, "seek_signal_intake_redis_connects_total 2\n");
    must_answer(answer, 200, "events_total{result=\"unavailable\"} 1\n");
    intake_stand_destroy(stand);
}

static void starts_without_redis(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    redis_server_kill(stand->redis);
    intake_stand_launch(stand);
    must_answer(intake_stand_call(stand, "GET", "/startupz", "", NULL), 503,
                "\"code\":\"not_started\"");
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 503, "store_unavailable");
    redis_server_restart(stand->redis);
    must_become_ready(stand);
    must_answer(intake_stand_call(stand, "GET", "/startupz", "", NULL), 200, "");
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 202, "");
    intake_stand_destroy(stand);
}

static void passes_on_what_redis_refuses(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    (void)redis_server_cli(stand->redis, "CONFIG SET maxmemory 1");
    const char *answer = intake_stand_post(stand, EVENT("A", "t"));
    must_answer(answer, 503, "\"retryable\":true");
    (void)redis_server_cli(stand->redis, "CONFIG SET maxmemory 0");
    must_become_ready(stand);
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 202, "");
    intake_stand_destroy(stand);
}

static void survives_clients_that_leave(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    redis_server_freeze(stand->redis);
    struct raw_client *clients[MANY];
    for (size_t i = 0; i < MANY; i++)
        clients[i] = send_event(stand, i);
    must_hold(stand, MANY);
    for (size_t i = 0; i < MANY; i++) {
        raw_client_vanish(clients[i]);
        raw_client_destroy(clients[i]);
    }
    struct raw_client *stays = send_event(stand, MANY);
    redis_server_thaw(stand->redis);
    assert_int_equal(raw_client_status(stays), 202);
    raw_client_destroy(stays);
    must_hold(stand, 0);
    must_answer(intake_stand_post(stand, EVENT("A-0", "t")), 200, "duplicate");
    intake_stand_destroy(stand);
}

static void ends_with_suspended_requests(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    redis_server_freeze(stand->redis);
    struct raw_client *sent = send_event(stand, 1);
    must_hold(stand, 1);
    struct raw_client *gathered = send_event(stand, 2);
    must_hold(stand, 2);
    struct raw_client *looking = intake_stand_connect(stand);
    intake_stand_send(looking, "GET", "/v1/applications/A", "", NULL);
    must_hold(stand, 3);
    intake_pool_stop(stand->pool, clock_monotonic_ms() + 50);
    struct raw_client *const clients[] = {sent, gathered, looking};
    for (size_t i = 0; i < 3; i++) {
        const char *answer = raw_client_answer(clients[i]);
        must_answer(answer, 503, "\"code\":\"shutting_down\"");
        must_answer(answer, 503, "Retry-After: ");
        raw_client_destroy(clients[i]);
    }
    redis_server_thaw(stand->redis);
    intake_stand_destroy(stand);
}

static void answers_what_is_open_before_it_ends(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    redis_server_freeze(stand->redis);
    struct raw_client *client = send_event(stand, 1);
    must_hold(stand, 1);
    redis_server_thaw(stand->redis);
    int64_t began_ms = clock_monotonic_ms();
    intake_pool_stop(stand->pool, began_ms + 60000);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 30000); /* not the whole time given */
    assert_int_equal(raw_client_status(client), 202);
    raw_client_destroy(client);
    intake_stand_destroy(stand);
}

static void still_accepts_while_draining(void **state)
{
    (void)state;
    struct intake_stand *stand = started();
    intake_pool_begin_drain(stand->pool);
    must_answer(intake_stand_call(stand, "GET", "/readyz", "", NULL), 503, "shutting down");
    must_answer(intake_stand_call(stand, "GET", "/livez", "", NULL), 200, "");
    must_answer(intake_stand_post(stand, EVENT("A", "t")), 202, "accepted");
    intake_stand_destroy(stand);
}

static void respects_its_limits(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    stand->options.body_bytes_max = 20000;
    stand->options.header_bytes_max = 2048;
    stand->options.read_timeout_ms = 200;
    intake_stand_start(stand);
    char body[20002];
    memset(body, ' ', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    must_answer(intake_stand_post(stand, body), 413, "\"code\":\"body_too_large\"");
    body[16 * 1024 + 1] = '\0'; /* a seek-token has a limit of its own */
    must_answer(intake_stand_call(stand, "PUT", "/v1/applications/A/token", JSON_TYPE, body), 413,
                "The limit is 16384 bytes.");
    const char *long_put = "PUT /v1/applications/A/token HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE;
    struct raw_client *announced = intake_stand_connect(stand); /* the body is not waited for */
    raw_client_send(announced, long_put);
    raw_client_send(announced, "Content-Length: 17000\r\n\r\n");
    assert_int_equal(raw_client_status(announced), 413);
    raw_client_destroy(announced);
    struct raw_client *chunked = intake_stand_connect(stand);
    raw_client_send(chunked, long_put);
    raw_client_send(chunked, "Transfer-Encoding: chunked\r\n\r\n4001\r\n");
    raw_client_send(chunked, body);
    raw_client_send(chunked, "\r\n0\r\n\r\n");
    assert_int_equal(raw_client_status(chunked), 413);
    raw_client_destroy(chunked);
    char headers[3000];
    (void)snprintf(headers, sizeof headers, "X-Long: %0*d\r\n", 2500, 7);
    must_answer(intake_stand_call(stand, "GET", "/livez", headers, NULL), 431,
                "\"code\":\"headers_too_large\"");
    struct raw_client *slow = intake_stand_connect(stand);
    raw_client_send(slow, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\n" JSON_TYPE
                          "Content-Length: 10\r\n\r\n{");
    assert_int_not_equal(raw_client_wait_end(slow), RAW_OPEN);
    raw_client_destroy(slow);
    must_hold(stand, 0);
    intake_stand_destroy(stand);
}

/* Several threads share a port by SO_REUSEPORT; another process must not come in by it. */
static void refuses_a_taken_address(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    stand->options.thread_count = 2;
    intake_stand_start(stand);
    struct intake_pool_options options = stand->options;
    struct listen_address taken = stand->address;
    taken.port = intake_pool_port(stand->pool);
    options.listen_address = &taken;
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct error error;
        options.thread_count = threads;
        assert_null(intake_pool_create(&options, &error));
        assert_non_null(strstr(error.message, "127.0.0.1"));
    }
    intake_stand_destroy(stand);
}

static void several_threads_share_an_address(void **state)
{
    (void)state;
    char path[128];
    for (int is_unix = 0; is_unix <= 1; is_unix++) {
        struct intake_stand *stand = intake_stand_create();
        stand->options.thread_count = 3;
        if (is_unix) {
            (void)snprintf(path, sizeof path, "unix:%s/api", redis_server_directory(stand->redis));
            assert_true(listen_address_parse(path, &stand->address, NULL));
        }
        intake_stand_start(stand);
        struct raw_client *clients[MANY];
        for (size_t i = 0; i < MANY; i++)
            clients[i] = send_event(stand, i);
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(raw_client_status(clients[i]), 202);
            raw_client_destroy(clients[i]);
        }
        const char *answer = intake_stand_call(stand, "GET", "/metrics", "", NULL);
        must_answer(answer, 200, "events_total{result=\"accepted\"} 60\n");
        intake_pool_destroy(stand->pool);
        stand->pool = NULL;
        if (is_unix)
            assert_int_equal(access(stand->address.host, F_OK), -1);
        intake_stand_destroy(stand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("commits together what came during the commit before",
           commits_together_what_came_meanwhile),
        IT("splits a big batch over several commits", splits_a_big_batch),
        IT("refuses more events than it may hold", refuses_more_than_it_can_hold),
        IT("says 503 within the time-out while Redis hangs, and recovers",
           says_503_while_redis_hangs),
        IT("recovers from the death of Redis", recovers_from_the_death_of_redis),
        IT("starts without Redis and says so", starts_without_redis),
        IT("passes on what Redis refuses", passes_on_what_redis_refuses),
        IT("survives clients that leave while their event is committed",
           survives_clients_that_leave),
        IT("ends with suspended requests, telling each of them", ends_with_suspended_requests),
        IT("answers what is open before it ends", answers_what_is_open_before_it_ends),
        IT("is not ready and still accepts while it drains", still_accepts_while_draining),
        IT("respects its limits", respects_its_limits),
        IT("refuses an address that somebody has, however many threads", refuses_a_taken_address),
        IT("serves one address with several threads", several_threads_share_an_address),
    };
    return cmocka_run_group_tests_name("intake_faults", tests, NULL, NULL);
}
