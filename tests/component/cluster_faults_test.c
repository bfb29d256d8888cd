/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* A cluster of two nodes that say at just the wrong moment that a slot has moved. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/slot.h"
#include "service/store/store_cluster.h"

#include "tests/support/captured_log.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/fake_redis.h"
#include "tests/support/specification.h"
#include "tests/support/store_driver.h"

enum {
    NODES = 2,
    TURNS = 4,
    PLACES = 64, /* redis_pending.c makes so many at first */
};

static struct driver driver;
static struct shard_map *map;
static struct fake_redis *nodes[NODES]; /* each has the shard of its number */
static struct fake_redis *from, *to;    /* who has the shard of "A", and the other one */
static char moved[64];                  /* to the other one */

static uint16_t port_of(const struct fake_redis *node)
{
    struct redis_url url;
    fake_redis_url(node, &url);
    return url.port;
}

static unsigned slot_of_shard(unsigned shard)
{
    return slot_of(driver.store->shards[shard].keys[SHARD_DUE]);
}

/* Some turns until it has called, for at most as long as fake_redis_accept waits. */
static void accept_at(struct fake_redis *node)
{
    for (int i = 0; i < TURNS; i++)
        driver_turn(&driver);
    fake_redis_accept(node);
    fake_redis_say_text(node, "+OK\r\n"); /* to the greeting */
}

static void tell_map(void)
{
    char text[256];
    accept_at(nodes[0]);
    (void)snprintf(text, sizeof text,
                   "$25\r\ncluster_current_epoch:1\r\n\r\n*2\r\n"
                   "*3\r\n:%u\r\n:%u\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n"
                   "*3\r\n:%u\r\n:%u\r\n*2\r\n$9\r\n127.0.0.1\r\n:%u\r\n",
                   slot_of_shard(0), slot_of_shard(0), port_of(nodes[0]), slot_of_shard(1),
                   slot_of_shard(1), port_of(nodes[1]));
    fake_redis_say_text(nodes[0], text);
    int64_t deadline_ms = clock_monotonic_ms() + 10000;
    while (driver.store->shards[0].link == NULL) {
        assert_true(clock_monotonic_ms() < deadline_ms);
        driver_turn(&driver);
    }
}

/* Fit, and with a file that is synced each second, so that each write is confirmed. */
static void become_ready(struct fake_redis *node)
{
    accept_at(node);
    fake_redis_say_text(node, "$81\r\nrole:master\r\ncluster_enabled:1\r\nredis_version:8.0.0\r\n"
                              "maxmemory:0\r\naof_enabled:1\r\n\r\n"
                              "*2\r\n$11\r\nappendfsync\r\n$8\r\neverysec\r\n" FAKE_REDIS_TRIED_OF(
                                  "2") "+OK\r\n:1\r\n*2\r\n:1\r\n:0\r\n*2\r\n:1\r\n:0\r\n");
    for (int i = 0; i < SCRIPT_COUNT; i++)
        fake_redis_say_text(node, "$40\r\n0123456789012345678901234567890123456789\r\n");
}

static int start(void **state)
{
    (void)state;
    struct redis_url url;
    for (size_t i = 0; i < NODES; i++)
        nodes[i] = fake_redis_start();
    fake_redis_url(nodes[0], &url);
    url.seeds.count = 1;
    (void)snprintf(url.seeds.addresses[0].host, sizeof url.seeds.addresses[0].host, "127.0.0.1");
    url.seeds.addresses[0].port = url.port;
    map = shard_map_create(SHARD_PREFIX_DEFAULT, NODES, NULL);
    const struct store_options options = {.ttl_ms = 1,
                                          .lease_ms = 1,
                                          .age_max_ms = 1,
                                          .shard_count = NODES,
                                          .demand = {.level = DURABILITY_FSYNC},
                                          .map = map};
    driver_start_with(&driver, &url, &options);
    tell_map();
    for (size_t i = 0; i < NODES; i++)
        become_ready(nodes[i]);
    driver_must_become(&driver, true);
    unsigned own = store_shard_of(driver.store, "A")->number;
    from = nodes[own];
    to = nodes[1 - own];
    (void)snprintf(moved, sizeof moved, "-MOVED %u 127.0.0.1:%u\r\n", slot_of_shard(own),
                   port_of(to));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    driver_stop(&driver);
    shard_map_destroy(map);
    for (size_t i = 0; i < NODES; i++)
        fake_redis_stop(nodes[i]);
    return 0;
}

static const char synced[] = "*2\r\n:1\r\n:0\r\n";

static void must_be_ready_everywhere(void)
{
    struct store_health health;
    store_health(driver.store, &health);
    assert_true(health.is_ready);
    assert_int_equal(health.shards_ready, NODES);
}

static void follows_at_once(void **state)
{
    (void)state;
    driver_send(&driver, 0);
    store_flush(driver.store);
    fake_redis_must_hear(from, "PEXPIRE");
    fake_redis_say_text(from, moved);
    fake_redis_say_text(from, moved); /* the mark, too */
    fake_redis_say_text(from, synced);
    for (int i = 0; i < TURNS; i++)
        driver_turn(&driver);
    fake_redis_must_hear(to, "PEXPIRE");
    fake_redis_say_text(to, "-OOM command not allowed\r\n:1\r\n");
    fake_redis_say_text(to, synced);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_REFUSED);
}

/* The slot leaves between the script by its hash and the script as a whole. */
static void does_not_follow_what_has_failed(void **state)
{
    (void)state;
    driver_send(&driver, 0);
    store_flush(driver.store);
    fake_redis_must_hear(from, "PEXPIRE");
    fake_redis_say_text(from, "-NOSCRIPT No matching script.\r\n");
    fake_redis_say_text(from, moved);
    fake_redis_say_text(from, synced);
    fake_redis_say_text(from, moved);
    fake_redis_say_text(from, moved);
    fake_redis_say_text(from, synced);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    assert_non_null(strstr(driver.failure.detail, "has just moved"));
    must_be_ready_everywhere();
}

static void ignore(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    (void)context;
    (void)lost;
    (void)reply;
}

/* The script takes the last place of those that wait for Redis, and there is no memory for more. */
static void does_not_follow_what_has_no_confirmation(void **state)
{
    (void)state;
    static const char *const ping[] = {"PING"};
    static const struct accept_item item = {"A", "token", "event", -1, NULL, 0, 0};
    struct redis_client *client = store_shard_of(driver.store, "A")->link->client;
    struct error error;
    bool is_sent = false, has_struck = false;
    for (size_t i = 0; i < PLACES - 1; i++)
        assert_true(redis_client_send(client, 1, ping, NULL, ignore, NULL, &error));
    for (unsigned n = 0; !is_sent; n++) {
        failing_malloc_arm(n);
        is_sent = store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error);
        has_struck = failing_malloc_disarm();
    }
    assert_true(has_struck);
    for (size_t i = 0; i < PLACES - 1; i++)
        fake_redis_say_text(from, "+PONG\r\n");
    fake_redis_say_text(from, moved);
    driver_settle_down(&driver);
    assert_int_equal(driver.failure.status, STORE_UNAVAILABLE);
    assert_non_null(strstr(driver.failure.detail, "memory"));
    must_be_ready_everywhere();
}

/* A third node, which has the first shard from now on. */
static void change_map(void)
{
    enum { LATER_MS = 60000 }; /* so that nobody asks meanwhile */
    struct shard_nodes known;
    int64_t now_ms = clock_monotonic_ms() + LATER_MS;
    cluster_scout_fini(&driver.store->cluster->scout);
    (void)shard_map_copy(map, &known);
    assert_int_equal(known.count, NODES);
    known.nodes[NODES] = (struct redis_address){.host = "127.0.0.1", .port = 1};
    known.node_of[0] = (int)known.count++;
    shard_map_want(map);
    assert_true(shard_map_begin(map, now_ms));
    assert_true(shard_map_found(map, &known, 2, true, now_ms));
}

static void turn_without_memory(int64_t now_ms, bool is_tried)
{
    failing_malloc_arm(0);
    store_turn(driver.store, now_ms);
    assert_int_equal(failing_malloc_disarm(), is_tried);
}

/* Each turn would be a try and a line of the log, and there would be no pause between turns. */
static void waits_for_memory(void **state)
{
    (void)state;
    const struct store_cluster *cluster = driver.store->cluster;
    int64_t now_ms = clock_monotonic_ms();
    struct captured_log *log = captured_log_start();
    change_map();
    assert_int_equal(store_timeout_ms(driver.store, now_ms), 0);
    turn_without_memory(now_ms, true);
    assert_in_range(store_timeout_ms(driver.store, now_ms), 1, 100);
    turn_without_memory(now_ms + 99, false);
    turn_without_memory(now_ms + 100, true);
    assert_int_equal(captured_log_count(log, "\"cluster_not_followed\""), 1);
    assert_int_not_equal(cluster->version, shard_map_version(map));
    store_turn(driver.store, now_ms + 200);
    assert_int_equal(cluster->version, shard_map_version(map));
    captured_log_stop(log);
    captured_log_destroy(log);
}

#define ON_TWO(sentence, function) IT_WITH(sentence, function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TWO("follows a slot at once", follows_at_once),
        ON_TWO("waits for memory to follow the map, and says so once", waits_for_memory),
        ON_TWO("does not follow a slot with a call that has failed already",
               does_not_follow_what_has_failed),
        ON_TWO("does not follow a slot with a call that cannot be confirmed",
               does_not_follow_what_has_no_confirmation),
    };
    return cmocka_run_group_tests_name("cluster_faults", tests, NULL, NULL);
}
