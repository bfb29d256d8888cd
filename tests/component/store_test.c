/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* The store's connection and health, against a real redis-server that is changed, killed and
 * frozen. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/event_loop.h"

#include "service/store/script.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

static struct driver driver;
static unsigned lines_logged;

void __wrap_log_write(enum log_level level, const char *event, const char *message,
                      const struct log_field fields[], size_t count);
void __wrap_log_write(enum log_level level, const char *event, const char *message,
                      const struct log_field fields[], size_t count)
{
    (void)fields;
    (void)count;
    (void)level;
    (void)event;
    (void)message;
    lines_logged++;
}

static const struct store_options defaults = {
    .ttl_ms = DRIVER_TTL_MS, .lease_ms = DRIVER_LEASE_MS, .age_max_ms = DRIVER_AGE_MAX_MS};

static const char *reason(void)
{
    static struct store_health health;
    store_health(driver.store, &health);
    return health.reason;
}

static enum durability_level given(void)
{
    struct store_health health;
    store_health(driver.store, &health);
    return health.durability.level;
}

static void reason_must_become(const char *part)
{
    int64_t deadline_ms = clock_monotonic_ms() + 10000;
    while (strstr(reason(), part) == NULL) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("the reason is \"%s\", not \"%s\"", reason(), part);
        driver_turn(&driver);
    }
}

static void send_accept(const char *id)
{
    const struct accept_item item = {id, "token", "event", -1, NULL, 0, 0};
    struct error error;
    assert_true(store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error));
}

/* --- preflight --- */

static void says_what_redis_gives(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[5];
        enum durability_level durability;
        const char *reason;
    } cases[] = {
        {{NULL}, DURABILITY_REDIS, "append-only"},
        {{"--appendonly", "yes", NULL}, DURABILITY_REDIS, ""},
        {{"--appendonly", "yes", "--appendfsync", "always", NULL}, DURABILITY_FSYNC, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, cases[i].arguments);
        driver_start(&driver, server);
        driver_must_become(&driver, true);
        assert_int_equal(given(), cases[i].durability);
        assert_non_null(strstr(reason(), cases[i].reason));
        assert_string_equal(redis_server_cli(server, "GET seek-signal:{0}:shards"), "1");
        driver_stop(&driver);
    }
}

static void waits_for_a_fit_redis(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_UNIX,
        (const char *const[]){"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru",
                              "--appendonly", "yes", "--appendfsync", "no", NULL});
    struct store_options options = defaults;
    options.demand.level = DURABILITY_FSYNC;
    struct redis_url url;
    redis_server_url(server, &url);
    driver_start_with(&driver, &url, &options);
    reason_must_become("maxmemory-policy to noeviction");
    (void)redis_server_cli(server, "CONFIG SET maxmemory-policy noeviction");
    reason_must_become("set appendfsync always");
    (void)redis_server_cli(server, "SET seek-signal:{0}:shards 64");
    reason_must_become("shards");
    (void)redis_server_cli(server, "SET seek-signal:{0}:shards 1");
    (void)redis_server_cli(server, "CONFIG SET appendfsync always");
    driver_must_become(&driver, true);
    assert_int_equal(given(), DURABILITY_FSYNC);
    driver_stop(&driver);
}

static unsigned loads(struct redis_server *server)
{
    const char *text =
        redis_server_cli(server, "INFO commandstats | grep -F 'cmdstat_script|load:'");
    unsigned calls = 0;
    (void)sscanf(text, "cmdstat_script|load:calls=%u", &calls);
    return calls;
}

static void loads_its_scripts_once_per_connection(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_UNIX,
        (const char *const[]){"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru", NULL});
    driver_start(&driver, server);
    reason_must_become("maxmemory-policy to noeviction");
    (void)redis_server_cli(server, "CONFIG SET maxmemory-policy noeviction");
    driver_must_become(&driver, true);
    assert_int_equal(loads(server), SCRIPT_COUNT);
    (void)redis_server_cli(server, "CLIENT KILL TYPE normal");
    driver_must_become(&driver, false);
    driver_must_become(&driver, true);
    assert_int_equal(loads(server), 2 * SCRIPT_COUNT);
    driver_stop(&driver);
}

static void promises_little_where_config_is_forbidden(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_UNIX,
        (const char *const[]){"--appendonly", "yes", "--appendfsync", "always", NULL});
    (void)redis_server_cli(server, "ACL SETUSER u on '>p' '~seek-signal:*' '&*' +@read +@write "
                                   "+@scripting +@connection +info +time");
    driver_start(&driver, server);
    (void)strcpy(driver.url.user, "u");
    (void)strcpy(driver.url.password, "p");
    driver_must_become(&driver, true);
    assert_int_equal(given(), DURABILITY_REDIS);
    must_accept_one(&driver, "A", "token", "event");
    (void)must_claim_one(&driver);
    driver_stop(&driver);
}

static void says_what_its_user_may_not_do(void **state)
{
    (void)state;
    static const char *const lacking[] = {"-info", "-@scripting", "resetkeys"};
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++) {
        (void)redis_server_cli(server, "ACL SETUSER u reset on '>p' '~*' '&*' +@all %s",
                               lacking[i]);
        driver_start(&driver, server);
        (void)strcpy(driver.url.user, "u");
        (void)strcpy(driver.url.password, "p");
        reason_must_become("the Redis user may not");
        driver_stop(&driver);
    }
}

static void does_not_serve_from_a_replica(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    (void)redis_server_cli(server, "REPLICAOF 127.0.0.1 1");
    send_accept("A");
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    assert_non_null(strstr(driver.failure.detail, "replica"));
    driver_must_become(&driver, false);
    reason_must_become("the master's address is needed");
    (void)redis_server_cli(server, "REPLICAOF NO ONE");
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token", "event");
    driver_stop(&driver);
}

static void looks_for_the_master(void **state)
{
    (void)state;
    AUTO(redis_server) *replica = redis_server_start(
        REDIS_SERVER_UNIX, (const char *const[]){"--replicaof", "127.0.0.1", "1", NULL});
    AUTO(redis_server) *master = redis_server_start(REDIS_SERVER_UNIX, NULL);
    lines_logged = 0;
    driver_start(&driver, replica);
    while (metric_value(&driver.connects) < 4)
        driver_turn(&driver);
    assert_non_null(strstr(reason(), "the master's address is needed"));
    assert_int_equal(lines_logged, 1);
    redis_server_url(master, &driver.url);
    driver_must_become(&driver, true);
    driver_stop(&driver);
}

static void asks_for_its_next_look(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    (void)redis_server_cli(server, "SET seek-signal:{0}:shards 64");
    driver_start(&driver, server);
    reason_must_become("shards");
    assert_in_range(store_timeout_ms(driver.store, clock_monotonic_ms()), 0, 500);
    (void)redis_server_cli(server, "SET seek-signal:{0}:shards 1");
    driver_must_become(&driver, true);
    assert_in_range(store_timeout_ms(driver.store, clock_monotonic_ms()), 0, 30000);
    driver_stop(&driver);
}

/* --- refusals --- */

static void brings_a_lost_script_along(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token", "e1");
    (void)redis_server_cli(server, "SCRIPT FLUSH");
    assert_int_equal(must_accept_one(&driver, "A", "token", "e2"), ACCEPT_DUPLICATE);
    struct claim claim = must_claim_one(&driver);
    (void)redis_server_cli(server, "SCRIPT FLUSH");
    static const struct verdict verdict = {.class = VERDICT_DELIVERED};
    assert_int_equal(must_settle(&driver, "A", claim.generation, SETTLE_DELIVERED, 0, &verdict),
                     SETTLED);
    driver_stop(&driver);
}

static void drains_when_redis_is_full(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token", "e1");
    must_accept_one(&driver, "B", "token", "e2");
    (void)redis_server_cli(server, "CONFIG SET maxmemory 1");
    const struct accept_item items[] = {{"A", "token", "e3", -1, NULL, 0, 0},
                                        {"C", "token", "e4", -1, NULL, 0, 0}};
    struct error error;
    assert_true(store_accept(driver.store, items, 2, 0, driver_accept_done, &driver, &error));
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    assert_non_null(strstr(driver.failure.detail, "maxmemory"));

    static const struct verdict done = {.class = VERDICT_DELIVERED, .http_status = 200};
    static const struct verdict refused = {.class = VERDICT_REFUSED, .code = "FORBIDDEN"};
    assert_int_equal(must_claim(&driver, 4), 2);
    struct claim claims[2];
    memcpy(claims, driver.claims, sizeof claims);
    assert_int_equal(must_settle(&driver, "A", claims[0].generation, SETTLE_DELIVERED, 0, &done),
                     SETTLED);
    assert_int_equal(must_settle(&driver, "B", claims[1].generation, SETTLE_DEAD, 0, &refused),
                     SETTLED);
    must_count(&driver, 0, 1);
    assert_null(must_get(&driver, "C"));
    must_forget(&driver, "B");

    driver_stop(&driver); /* and another one, that finds Redis full */
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    (void)redis_server_cli(server, "CONFIG SET maxmemory 0");
    must_accept_one(&driver, "C", "token", "e4");
    driver_stop(&driver);
}

static void says_why_nothing_can_be_written(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_UNIX, (const char *const[]){"--min-replicas-to-write", "1", NULL});
    driver_start(&driver, server);
    reason_must_become("min-replicas-to-write");
    (void)redis_server_cli(server, "CONFIG SET min-replicas-to-write 0");
    driver_must_become(&driver, true);
    (void)redis_server_cli(server, "CONFIG SET min-replicas-to-write 1");
    send_accept("A");
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    assert_non_null(strstr(driver.failure.detail, "min-replicas-to-write"));
    driver_stop(&driver);
}

/* --- the connection --- */

static void refuses_calls_until_it_is_ready(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    redis_server_kill(server);
    driver_start(&driver, server);
    const struct accept_item item = {"A", "token", "event", -1, NULL, 0, 0};
    struct error error;
    assert_false(store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error));
    assert_int_equal(error.kind, ERROR_IO);
    assert_string_equal(error.message, "Redis has not answered yet");
    reason_must_become("Redis is away: ");
    assert_false(store_claim(driver.store, 1, driver_claim_done, &driver, &error));
    assert_string_equal(error.message, reason());
    assert_int_equal(driver.answers, 0);
    driver_stop(&driver);
}

static void comes_back_with_redis(void **state)
{
    (void)state;
    /* With everysec Redis answers while a write waits for a sync that is under way. */
    AUTO(redis_server) *server = redis_server_start(
        REDIS_SERVER_UNIX,
        (const char *const[]){"--appendonly", "yes", "--appendfsync", "always", NULL});
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token", "event");
    redis_server_kill(server);
    driver_must_become(&driver, false);
    assert_non_null(strstr(reason(), "Redis is away: "));
    for (int64_t until_ms = clock_monotonic_ms() + 1000; clock_monotonic_ms() < until_ms;)
        driver_turn(&driver);
    redis_server_restart(server);
    int64_t back_ms = clock_monotonic_ms();
    driver_must_become(&driver, true);
    assert_true(clock_monotonic_ms() - back_ms < 10000);
    assert_string_equal(must_claim_one(&driver).application_id, "A");
    assert_int_equal(metric_value(&driver.connects), 2);
    assert_int_equal(metric_value(&driver.losses), 1);
    driver_stop(&driver);
}

static void does_not_wait_for_a_silent_redis(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    redis_server_freeze(server);
    send_accept("A");
    int64_t asked_ms = clock_monotonic_ms();
    driver_settle_down(&driver);
    assert_in_range(clock_monotonic_ms() - asked_ms, 1900, 10000);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    assert_int_equal(driver.count, 0);
    driver_must_become(&driver, false);
    redis_server_thaw(server);
    driver_must_become(&driver, true);
    assert_int_equal(must_accept_one(&driver, "A", "token", "again"), ACCEPT_DUPLICATE);
    driver_stop(&driver);
}

static void ends_open_calls_with_the_store(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    send_accept("A");
    send_accept("B");
    assert_int_equal(driver.answers, 0);
    driver_stop(&driver);
    assert_int_equal(driver.answers, 2);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
}

static void measures_the_round_trip(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token", "event");
    assert_int_equal(driver.round_trip.buckets[0], 1);
    assert_in_range(metric_value(&driver.round_trip), 1, 10000000);
    driver_stop(&driver);
}

/* --- memory --- */

static void survives_each_failed_allocation_of_a_call(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    const struct accept_item item = {"A", "token", "event", -1, NULL, 0, 0};
    unsigned failures = 0;
    for (;; failures++) {
        struct error error;
        failing_malloc_arm(failures);
        bool is_sent = store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error);
        if (!failing_malloc_disarm()) {
            assert_true(is_sent);
            break;
        }
        assert_false(is_sent);
        assert_int_equal(error.kind, ERROR_MEMORY);
        assert_int_equal(driver.answers, 0);
    }
    assert_true(failures >= 5);
    driver_settle_down(&driver);
    assert_int_equal(driver.answers, 1);
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_ACCEPTED);
    driver_stop(&driver);
}

static void survives_each_failed_allocation_at_the_start(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    AUTO(event_loop) *loop = event_loop_create(NULL);
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        struct store_options options = defaults;
        struct error error;
        failing_malloc_arm(n);
        struct store *store = store_create(&options, loop, &error);
        has_failed = failing_malloc_disarm();
        assert_int_equal(store == NULL, has_failed);
        store_destroy(store);
    }
    has_failed = true;
    for (unsigned n = 0; has_failed && n < 200; n += 3) { /* while it connects and asks */
        driver_start(&driver, server);
        failing_malloc_arm(n);
        for (int turns = 0; turns < 10; turns++)
            driver_turn(&driver);
        has_failed = failing_malloc_disarm();
        driver_must_become(&driver, true);
        driver_stop(&driver);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("says what durability Redis gives", says_what_redis_gives),
        IT("names what is wrong with Redis, and waits until it is right", waits_for_a_fit_redis),
        IT("loads its scripts once per connection, however often it looks",
           loads_its_scripts_once_per_connection),
        IT("promises no fsync where CONFIG is forbidden",
           promises_little_where_config_is_forbidden),
        IT("says what its Redis user may not do", says_what_its_user_may_not_do),
        IT("does not serve from a replica", does_not_serve_from_a_replica),
        IT("looks for the master where a replica answers, and says so once", looks_for_the_master),
        IT("asks its loop for the time of its next look", asks_for_its_next_look),
        IT("brings a lost script along", brings_a_lost_script_along),
        IT("takes no events when Redis is full, and drains", drains_when_redis_is_full),
        IT("says why nothing can be written", says_why_nothing_can_be_written),
        IT("refuses calls until it is ready, with the reason", refuses_calls_until_it_is_ready),
        IT("comes back with Redis, losing nothing", comes_back_with_redis),
        IT("does not wait for a Redis that says nothing", does_not_wait_for_a_silent_redis),
        IT("ends open calls when it is destroyed", ends_open_calls_with_the_store),
        IT("measures the round trip", measures_the_round_trip),
        IT("refuses a call for which there is no memory",
           survives_each_failed_allocation_of_a_call),
        IT("starts without memory as soon as there is some",
           survives_each_failed_allocation_at_the_start),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
