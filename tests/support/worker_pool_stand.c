/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/worker_pool_stand.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/net/http_client.h"

#include "service/store/due_table.h"

#include "tests/support/captured_log.h"
#include "tests/support/specification.h"

struct worker_pool_stand { /* owns all */
    struct captured_log *log;
    struct redis_server *redis;
    struct redis_url redis_url;
    struct driver driver;
    struct fake_seek *seek;
    struct secret *client_id, *client_secret;
    struct access_token *access_token;
    struct sending_gate *gate;
    struct worker_pool *pool;
};

/* --- life -------------------------------------------------------------------------- */

int worker_pool_stand_begin(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_FORMAT_JSON);
    return http_client_startup(NULL) ? 0 : -1;
}

int worker_pool_stand_finish(void **state)
{
    (void)state;
    http_client_cleanup();
    return 0;
}

int worker_pool_stand_set_up(void **state)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    struct worker_pool_stand *stand = calloc(1, sizeof *stand);
    assert_non_null(stand);
    stand->log = captured_log_start();
    stand->redis = redis_server_start(REDIS_SERVER_UNIX, durable);
    redis_server_url(stand->redis, &stand->redis_url);
    driver_start_with(
        &stand->driver, &stand->redis_url,
        &(struct store_options){.ttl_ms = 3600000, .lease_ms = 200, .age_max_ms = 600000});
    driver_must_become(&stand->driver, true);
    stand->seek = fake_seek_start();
    stand->client_id = secret_from_value("client-1", NULL);
    stand->client_secret = secret_from_value(CLIENT_SECRET, NULL);
    *state = stand;
    return 0;
}

/* No credential in any line of any test; no seek-token but where the whole request is logged. */
static void check_log(const struct worker_pool_stand *stand)
{
    assert_int_equal(count_in_log(stand, CLIENT_SECRET), 0);
    assert_int_equal(count_in_log(stand, ACCESS_TOKEN), 0);
    if (count_in_log(stand, "upstream_request") == 0)
        assert_int_equal(count_in_log(stand, "seek-token-"), 0);
}

int worker_pool_stand_tear_down(void **state)
{
    struct worker_pool_stand *stand = *state;
    if (stand->pool != NULL)
        (void)stop_pool(stand, 0);
    worker_pool_destroy(stand->pool);
    sending_gate_destroy(stand->gate);
    access_token_destroy(stand->access_token);
    secret_destroy(stand->client_id);
    secret_destroy(stand->client_secret);
    driver_stop(&stand->driver);
    fake_seek_stop(stand->seek);
    redis_server_stop(stand->redis);
    captured_log_stop(stand->log);
    check_log(stand);
    captured_log_destroy(stand->log);
    free(stand);
    return 0;
}

struct fake_seek *seek_of(const struct worker_pool_stand *stand)
{
    return stand->seek;
}

struct redis_server *redis_of(const struct worker_pool_stand *stand)
{
    return stand->redis;
}

struct driver *driver_of(struct worker_pool_stand *stand)
{
    return &stand->driver;
}

struct worker_pool *pool_of(const struct worker_pool_stand *stand)
{
    return stand->pool;
}

struct sending_gate *gate_of(const struct worker_pool_stand *stand)
{
    return stand->gate;
}

/* --- the pool ---------------------------------------------------------------------- */

static bool locate(void *context, struct redis_url *out, struct error *error)
{
    const struct worker_pool_stand *stand = context;
    (void)error;
    *out = stand->redis_url;
    return true;
}

static int64_t or_usual(int64_t value, int64_t usual)
{
    return value != 0 ? value : usual;
}

static void create_gate_and_token(struct worker_pool_stand *stand,
                                  const struct pool_variation *variation)
{
    const struct access_token_options token_options = {.audience = "https://graphql.seek.com",
                                                       .client_id = stand->client_id,
                                                       .client_secret = stand->client_secret,
                                                       .retry_base_ms = 50,
                                                       .retry_max_ms = 100,
                                                       .outage_max_ms = 100,
                                                       .refresh_timeout_ms = 10000};
    const struct sending_gate_options gate_options = {
        .in_flight_max = (unsigned)or_usual(variation->in_flight_max, POOL_IN_FLIGHT_MAX),
        .per_second_max = variation->per_second,
        .breaker_failures = (unsigned)or_usual(variation->breaker_failures, 1000),
        .breaker_wait_ms = 200,
        .breaker_wait_max_ms = 400};
    stand->access_token = access_token_create(&token_options, NULL);
    stand->gate = sending_gate_create(&gate_options, NULL);
    assert_true(stand->access_token != NULL && stand->gate != NULL);
}

static struct worker_pool *try_to_create(struct worker_pool_stand *stand,
                                         const struct pool_variation *variation,
                                         struct error *error)
{
    const struct worker_pool_options options = {
        .worker_count = (unsigned)or_usual(variation->workers, POOL_WORKERS),
        .in_flight_max = (unsigned)or_usual(variation->in_flight_max, POOL_IN_FLIGHT_MAX),
        .graphql_url = fake_seek_graphql_url(stand->seek),
        .token_url = fake_seek_token_url(stand->seek),
        .user_agent = "tester/1.2.3",
        .accept_language = "en-AU",
        .request_timeout_ms = (unsigned)or_usual(variation->request_timeout_ms, 5000),
        .retry_base_ms = or_usual(variation->retry_base_ms, 20),
        .retry_max_ms = 1000,
        .retry_age_max_ms = or_usual(variation->retry_age_max_ms, 600000),
        .is_upstream_logged = variation->is_upstream_logged,
        .store = {.locate = locate,
                  .context = stand,
                  .ttl_ms = 3600000,
                  .lease_ms = or_usual(variation->lease_ms, 20000),
                  .age_max_ms = 600000,
                  .prefix = variation->due != NULL ? "many" : NULL,
                  .shard_count = variation->due != NULL ? variation->due->count : 1,
                  .due = variation->due},
        .access_token = stand->access_token,
        .gate = stand->gate,
    };
    return worker_pool_create(&options, error);
}

void create_pool(struct worker_pool_stand *stand, const struct pool_variation *variation)
{
    struct error error;
    create_gate_and_token(stand, variation);
    stand->pool = try_to_create(stand, variation, &error);
    assert_non_null(stand->pool);
}

struct worker_pool *try_to_create_another(struct worker_pool_stand *stand, struct error *error)
{
    return try_to_create(stand, &(struct pool_variation){.workers = 2}, error);
}

void start_pool_with(struct worker_pool_stand *stand, const struct pool_variation *variation)
{
    create_pool(stand, variation);
    struct error error;
    assert_true(worker_pool_start(stand->pool, &error));
}

void start_pool(struct worker_pool_stand *stand)
{
    const struct pool_variation usual = {0};
    start_pool_with(stand, &usual);
}

struct worker_pool_end stop_pool(struct worker_pool_stand *stand, int64_t within_ms)
{
    return worker_pool_stop(stand->pool, clock_monotonic_ms() + within_ms);
}

struct worker_pool_status status_of(const struct worker_pool_stand *stand)
{
    struct worker_pool_status status;
    worker_pool_status(stand->pool, &status);
    return status;
}

unsigned count_in_log(const struct worker_pool_stand *stand, const char *word)
{
    return captured_log_count(stand->log, word);
}

/* --- steps ------------------------------------------------------------------------- */

void accept_quietly(struct worker_pool_stand *stand, const char *id, const char *seek_token)
{
    assert_int_not_equal(must_accept_one(&stand->driver, id, seek_token, EVENT_ID),
                         ACCEPT_NO_TOKEN);
}

void accept_one(struct worker_pool_stand *stand, const char *id, const char *seek_token)
{
    accept_quietly(stand, id, seek_token);
    worker_pool_note_due(stand->pool, false);
}

void accept_many(struct worker_pool_stand *stand, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32], seek_token[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        (void)snprintf(seek_token, sizeof seek_token, "seek-token-%u", i);
        accept_one(stand, id, seek_token);
    }
}

const struct application *must_become(struct worker_pool_stand *stand, const char *id,
                                      enum delivery_state state)
{
    WAIT_UNTIL(must_get(&stand->driver, id)->state == state);
    return must_get(&stand->driver, id);
}

const struct application *must_deliver(struct worker_pool_stand *stand, const char *id)
{
    return must_become(stand, id, DELIVERY_DELIVERED);
}

void must_deliver_many(struct worker_pool_stand *stand, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "A-%u", i);
        (void)must_deliver(stand, id);
    }
}
