/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* What lies in Redis, of which version, of which environment and under which prefix; and whether
 * its user may do what the work needs. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

static struct driver driver, other;

static struct store_options with(const char *prefix, const char *environment)
{
    return (struct store_options){.ttl_ms = DRIVER_TTL_MS,
                                  .lease_ms = DRIVER_LEASE_MS,
                                  .age_max_ms = DRIVER_AGE_MAX_MS,
                                  .prefix = prefix,
                                  .environment = environment};
}

static void start(struct driver *it, const struct redis_server *server,
                  const struct store_options *options)
{
    struct redis_url url;
    redis_server_url(server, &url);
    driver_start_with(it, &url, options);
}

static const char *reason_of(const struct driver *it)
{
    static struct store_health health;
    store_health(it->store, &health);
    return health.is_ready ? "" : health.reason;
}

static void must_be_unfit(struct driver *it, const char *const parts[], size_t count)
{
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    for (size_t i = 0; i < count; i++) {
        while (strstr(reason_of(it), parts[i]) == NULL) {
            if (clock_monotonic_ms() > deadline_ms)
                fail_msg("the reason is \"%s\", without \"%s\"", reason_of(it), parts[i]);
            driver_turn(it);
        }
    }
}

#define MUST_BE_UNFIT(it, ...)                                                                     \
    must_be_unfit(it, (const char *const[]){__VA_ARGS__},                                          \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* --- the layout --- */

static void must_hold(struct redis_server *server, const char *key, const char *value)
{
    assert_string_equal(redis_server_cli(server, "--raw GET '%s'", key), value);
}

static void writes_it_under_the_hash_tag(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    const struct store_options options = with(NULL, "https://a.example/graphql https://a.example");
    start(&driver, server, &options);
    driver_must_become(&driver, true);
    must_hold(server, "seek-signal:{0}:layout", "2");
    must_hold(server, "seek-signal:{0}:shards", "1");
    must_hold(server, "seek-signal:{0}:environment", options.environment);
    assert_string_equal(redis_server_cli(server, "DBSIZE"), "3"); /* nothing is left of the trial */
    driver_stop(&driver);
}

/* As versions wrote it before the layout had a number: one event that waits, one that is dead, one
 * that was delivered, a draft. */
static void write_old_form(struct redis_server *server)
{
    (void)redis_server_cli(server, "SET seek-signal:shards 1");
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:A' state pending token t-a event "
                                   "0b9cf2d3-9e0b-4e4f-8a00-0000 accepted 1700000000000");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' 1700000000000 A");
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:B' state dead token t-b event "
                                   "0b9cf2d3-9e0b-4e4f-8a00-0001 accepted 1700000000000 gen "
                                   "1700000000000001 attempts 1 died 1700000000100 class refused "
                                   "code FORBIDDEN");
    (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:dead' 1700000000100 B");
    (void)redis_server_cli(server, "HSET 'seek-signal:{0}:app:C' state draft token t-c received "
                                   "1700000000000");
}

static void must_work_on(struct driver *it)
{
    struct claim claim = must_claim_one(it);
    assert_string_equal(claim.application_id, "A");
    assert_string_equal(claim.seek_token, "t-a");
    static const struct verdict done = {.class = VERDICT_DELIVERED, .http_status = 200};
    assert_int_equal(must_settle(it, "A", claim.generation, SETTLE_DELIVERED, 0, &done), SETTLED);
    assert_int_equal(must_accept_one(it, "C", NULL, "0b9cf2d3-9e0b-4e4f-8a00-000200000000"),
                     ACCEPT_ACCEPTED);
    assert_string_equal(must_claim_one(it).seek_token, "t-c");
    assert_string_equal(must_get(it, "B")->last_code, "FORBIDDEN");
    must_count(it, 1, 1);
}

static void moves_data_of_older_versions(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    write_old_form(server);
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_hold(server, "seek-signal:{0}:layout", "2");
    must_hold(server, "seek-signal:{0}:shards", "1");
    assert_string_equal(redis_server_cli(server, "EXISTS seek-signal:shards"), "0");
    must_work_on(&driver);

    (void)redis_server_cli(server, "SET seek-signal:shards 1"); /* an older one, beside this one */
    driver_start(&other, server);
    driver_must_become(&other, true);
    must_hold(server, "seek-signal:shards", "1");
    driver_stop(&other);
    driver_stop(&driver);
}

static void moves_it_in_a_full_redis(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    write_old_form(server);
    (void)redis_server_cli(server, "CONFIG SET maxmemory 1");
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_hold(server, "seek-signal:{0}:layout", "2");
    assert_string_equal(must_claim_one(&driver).application_id, "A");
    driver_stop(&driver);
}

/* The number becomes this version's, and each application is written anew where it changes. */
static void reads_layout_1(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    write_old_form(server);
    (void)redis_server_cli(server, "DEL seek-signal:shards");
    (void)redis_server_cli(server, "SET 'seek-signal:{0}:shards' 1");
    (void)redis_server_cli(server, "SET 'seek-signal:{0}:layout' 1");
    (void)redis_server_cli(
        server, "HSET 'seek-signal:{0}:app:B' history '1 1700000000050 refused FORBIDDEN' "
                "tried 1700000000050 http 200");
    driver_start(&driver, server);
    driver_must_become(&driver, true);
    must_hold(server, "seek-signal:{0}:layout", "2");
    must_work_on(&driver);
    assert_string_equal(redis_server_cli(server, "--raw HKEYS 'seek-signal:{0}:app:A'"),
                        "token\np");
    assert_string_equal(must_get(&driver, "B")->history, "1 1700000000050 refused FORBIDDEN");
    assert_int_equal(must_replay(&driver, "B"), REPLAY_SCHEDULED);
    assert_string_equal(must_get(&driver, "B")->history, "1 1700000000050 refused FORBIDDEN");
    assert_string_equal(redis_server_cli(server, "HEXISTS 'seek-signal:{0}:app:B' state"), "0");
    assert_string_equal(must_claim_one(&driver).seek_token, "t-b");
    driver_stop(&driver);
}

static void raises_layout_1_of_every_shard(void **state)
{
    (void)state;
    enum { SHARDS = 3 };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    for (unsigned i = 0; i < SHARDS; i++)
        (void)redis_server_cli(
            server, "MSET 'seek-signal:{%u}:layout' 1 'seek-signal:{%u}:shards' %u", i, i, SHARDS);
    struct store_options options = with(NULL, NULL);
    options.shard_count = SHARDS;
    start(&driver, server, &options);
    driver_must_become(&driver, true);
    for (unsigned i = 0; i < SHARDS; i++)
        assert_string_equal(
            redis_server_cli(server, "MGET 'seek-signal:{%u}:layout' 'seek-signal:{%u}:shards'", i,
                             i),
            "2\n3");
    driver_stop(&driver);
}

static void leaves_layout_1_of_another_environment(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    (void)redis_server_cli(server, "MSET 'seek-signal:{0}:layout' 1 'seek-signal:{0}:shards' 1 "
                                   "'seek-signal:{0}:environment' 'https://b.example b'");
    const struct store_options options = with(NULL, "https://a.example/graphql https://a.example");
    start(&driver, server, &options);
    MUST_BE_UNFIT(&driver, "https://b.example b");
    must_hold(server, "seek-signal:{0}:layout", "1");
    driver_stop(&driver);
}

static void touches_nothing_of_another_layout(void **state)
{
    (void)state;
    static const struct {
        const char *write, *reason;
    } cases[] = {
        {"SET 'seek-signal:{0}:layout' 3", "layout 3, and this version knows layout 2"},
        {"SET 'seek-signal:{0}:layout' 10", "layout 10, and this version knows layout 2"},
        {"SET 'seek-signal:{0}:layout' one", "is one, which no version writes"},
        {"SET 'seek-signal:{0}:layout' 0", "is 0, which no version writes"},
        {"SET 'seek-signal:{0}:shards' 64",
         "the number of shards in Redis is 64, but REDIS_SHARDS is 1"},
        {"SET seek-signal:shards 64", "the number of shards in Redis is 64, but REDIS_SHARDS is 1"},
        {"SADD 'seek-signal:{0}:layout' x", "seek-signal:{0}:layout is not a string"},
    };
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)redis_server_cli(server, "FLUSHALL");
        (void)redis_server_cli(server, "%s", cases[i].write);
        (void)redis_server_cli(server, "ZADD 'seek-signal:{0}:due' 1 A");
        driver_start(&driver, server);
        MUST_BE_UNFIT(&driver, cases[i].reason);
        assert_string_equal(redis_server_cli(server, "ZCARD 'seek-signal:{0}:due'"), "1");
        driver_stop(&driver);
    }
}

/* --- the environment --- */

static const char production[] = "https://graphql.seek.com/graphql https://graphql.seek.com";
static const char playground[] = "https://graphql.seek.com/graphql https://test.graphql.seek.com";

static void keeps_environments_apart(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    const struct store_options one = with(NULL, production), two = with(NULL, playground);
    start(&driver, server, &one);
    driver_must_become(&driver, true);
    must_accept_one(&driver, "A", "token", "event");
    start(&other, server, &two);
    MUST_BE_UNFIT(&other, "or set another REDIS_PREFIX", production, playground,
                  "delete seek-signal:{0}:environment");
    struct error error;
    assert_false(store_claim(other.store, 1, driver_claim_done, &other, &error));
    must_hold(server, "seek-signal:{0}:environment", production);
    driver_stop(&other);
    start(&other, server, &one); /* one more of the same */
    driver_must_become(&other, true);
    driver_stop(&other);
    driver_stop(&driver);

    (void)redis_server_cli(server, "DEL 'seek-signal:{0}:environment'"); /* on purpose */
    start(&other, server, &two);
    driver_must_become(&other, true);
    must_hold(server, "seek-signal:{0}:environment", playground);
    assert_string_equal(must_claim_one(&other).application_id, "A");
    driver_stop(&other);
}

static void shares_a_redis_by_prefix(void **state)
{
    (void)state;
    AUTO(redis_server) *server = redis_server_start(REDIS_SERVER_UNIX, NULL);
    write_old_form(server);
    const struct store_options one = with("staging", playground), two = with(NULL, production);
    start(&driver, server, &one);
    driver_must_become(&driver, true);
    must_count(&driver, 0, 0);
    assert_string_equal(redis_server_cli(server, "EXISTS seek-signal:shards"), "1"); /* not ours */
    start(&other, server, &two);
    driver_must_become(&other, true);
    must_accept_one(&driver, "S", "token", "event");
    assert_string_equal(must_claim_one(&driver).application_id, "S");
    assert_string_equal(must_claim_one(&other).application_id, "A");
    must_hold(server, "staging:{0}:environment", playground);
    driver_stop(&other);
    driver_stop(&driver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("writes the layout, the shards and the environment, each under the hash tag",
           writes_it_under_the_hash_tag),
        IT("moves what older versions have written, and works on with it",
           moves_data_of_older_versions),
        IT("moves it in a Redis that is full", moves_it_in_a_full_redis),
        IT("reads what layout 1 holds, and writes it anew", reads_layout_1),
        IT("raises layout 1 of every shard", raises_layout_1_of_every_shard),
        IT("leaves layout 1 of another environment as it is",
           leaves_layout_1_of_another_environment),
        IT("touches nothing of another layout", touches_nothing_of_another_layout),
        IT("keeps signals of another environment apart", keeps_environments_apart),
        IT("shares a Redis by prefix", shares_a_redis_by_prefix),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
