/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Each allocation on the way of a request fails once: the request is refused or its connection
 * closed, the process goes on, and nothing is left behind. Everything turns in one thread here, the
 * one whose allocations fail.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/event_loop.h"
#include "lib/net/listener.h"

#include "service/inbound/api.h"
#include "service/inbound/batch.h"
#include "service/inbound/inbound_context.h"
#include "service/inbound/inbound_metrics.h"
#include "service/inbound/service_view.h"
#include "service/inbound/waiting_room.h"

#include "tests/support/failing_digest.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/intake_stand.h"
#include "tests/support/specification.h"

struct memory_stand {
    struct redis_server *redis;
    struct event_loop *loop;
    struct store *store;
    struct batch *batch;
    struct waiting_room waits;
    struct metric metrics[INBOUND_METRIC_COUNT];
    struct service_view view;
    struct inbound_context context;
    struct http_server *server;
    uint16_t port;
};

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    (void)error;
    redis_server_url(((struct memory_stand *)context)->redis, out);
    return true;
}

static void ignore_events(void *context, unsigned events)
{
    (void)context; /* each turn turns everything */
    (void)events;
}

static void turn(void *context)
{
    struct memory_stand *stand = context;
    event_loop_poll(stand->loop, 1);
    store_turn(stand->store, clock_monotonic_ms());
    http_server_turn(stand->server);
    batch_turn(stand->batch);
    store_flush(stand->store);
    waiting_room_turn(&stand->waits, clock_monotonic_ms());
}

static void must_be_ready(struct memory_stand *stand)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    struct store_health health;
    do {
        turn(stand);
        store_health(stand->store, &health);
        assert_true(clock_monotonic_ms() < until_ms);
    } while (!health.is_ready);
}

static int start(void **state)
{
    struct memory_stand *stand = calloc(1, sizeof *stand);
    assert_non_null(stand);
    log_configure(LOG_ERROR, LOG_FORMAT_TEXT);
    stand->redis = redis_server_start(REDIS_SERVER_UNIX, NULL);
    const struct store_options options = {.locate = locate,
                                          .context = stand,
                                          .ttl_ms = 3600000,
                                          .lease_ms = 60000,
                                          .age_max_ms = 3600000,
                                          .role = "test"};
    stand->loop = event_loop_create(NULL);
    stand->store = store_create(&options, stand->loop, NULL);
    metrics_init(stand->metrics, inbound_rows, INBOUND_METRIC_COUNT);
    stand->view.version = "1";
    stand->batch = batch_create(stand->store, &stand->view, stand->metrics, 100, NULL);
    waiting_room_init(&stand->waits, 100);
    inbound_context_init(&stand->context);
    stand->context.routes = api_routes;
    stand->context.route_count = api_route_count;
    stand->context.view = &stand->view;
    stand->context.body_bytes_max = 65536;
    stand->context.metrics = stand->metrics;
    stand->context.store = stand->store;
    stand->context.batch = stand->batch;
    stand->context.waits = &stand->waits;
    stand->context.batch_max = 100;
    struct listen_address address;
    assert_true(listen_address_parse("127.0.0.1:0", &address, NULL));
    struct http_server_options server = {.body_bytes_max = 65536,
                                         .header_bytes_max = 8192,
                                         .connections_max = 100,
                                         .idle_timeout_s = 30,
                                         .request_timeout_ms = 10000};
    assert_true(listener_open(&address, false, &server.listener, NULL));
    stand->port = listener_port(&server.listener);
    inbound_context_serve(&stand->context, &server);
    stand->server = http_server_create(&server, NULL);
    assert_non_null(stand->server);
    assert_true(event_loop_watch(stand->loop, http_server_fd(stand->server), EVENT_READ,
                                 ignore_events, stand, NULL));
    *state = stand;
    return 0;
}

static int stop(void **state)
{
    struct memory_stand *stand = *state;
    http_server_destroy(stand->server);
    store_destroy(stand->store);
    event_loop_destroy(stand->loop);
    batch_destroy(stand->batch);
    inbound_context_fini(&stand->context);
    redis_server_stop(stand->redis);
    free(stand);
    return 0;
}

/* 0: the connection was closed without an answer, which is all that can be done at times. */
static int status_or_end(struct raw_client *client, struct memory_stand *stand)
{
    int64_t until_ms = clock_monotonic_ms() + 10000;
    while (client->end == RAW_OPEN && strstr(client->bytes, "\r\n\r\n") == NULL) {
        turn(stand);
        raw_client_receive(client);
        assert_true(clock_monotonic_ms() < until_ms);
    }
    return client->length == 0 ? 0 : answer_status(client->bytes);
}

static const struct {
    const char *method, *target, *headers, *body;
} requests[] = {
    {"POST", "/v1/events", JSON_TYPE, EVENT("A", "t")},
    {"POST", "/v1/events", JSON_TYPE,
     "[" EVENT("B", "t") "," EVENT("C", "a b") "," EVENT("D", "t") "]"},
    {"POST", "/v1/events?wait=1ms", JSON_TYPE, EVENT("E", "t")},
    {"PUT", "/v1/applications/F/token", JSON_TYPE,
     "{\"applicationUri\":\"https://a.example/?seek-token=t\"}"},
    {"GET", "/v1/applications/A", "", NULL},
    {"POST", "/v1/applications/A/replay", "", ""},
    {"DELETE", "/v1/applications/A", "", NULL},
    {"GET", "/v1/status", "", NULL},
    {"GET", "/metrics", "", NULL},
    {"GET", "/", "", NULL},
    {"GET", "/nowhere", "", NULL},
};

static void survives_every_failing_allocation(void **state)
{
    struct memory_stand *stand = *state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        bool has_failed = true;
        for (unsigned n = 0; has_failed; n++) {
            must_be_ready(stand);
            struct raw_client *client = raw_client_open(stand->port, turn, stand);
            failing_malloc_arm(n);
            intake_stand_send(client, requests[i].method, requests[i].target, requests[i].headers,
                              requests[i].body);
            int status = status_or_end(client, stand);
            has_failed = failing_malloc_disarm();
            if (status == 500 || (status >= 400 && !has_failed && status != 404))
                fail_msg("%s %s: %s", requests[i].method, requests[i].target, client->bytes);
            raw_client_destroy(client);
        }
    }
    must_be_ready(stand);
}

static void cleans_up_when_memory_is_short(void **state)
{
    (void)state;
    struct intake_stand *stand = intake_stand_create();
    stand->options.thread_count = 2;
    unsigned failures = 0;
    for (;; failures++) {
        struct error error;
        failing_malloc_arm(failures);
        struct intake_pool *pool = intake_pool_create(&stand->options, &error);
        if (!failing_malloc_disarm()) {
            intake_pool_destroy(pool);
            break;
        }
        assert_null(pool);
    }
    assert_in_range(failures, 8, 100);
    intake_stand_destroy(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("survives the failure of each allocation of each request",
           survives_every_failing_allocation),
        IT("leaves nothing behind when memory is short at the start",
           cleans_up_when_memory_is_short),
    };
    return cmocka_run_group_tests_name("intake_memory", tests, start, stop);
}
