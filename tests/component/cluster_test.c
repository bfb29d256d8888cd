/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* A queue on a Redis Cluster: three real masters, each with a replica. */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/shard_map.h"
#include "service/store/slot.h"
#include "service/store/store_internal.h"

#include "tests/support/cluster_stand.h"
#include "tests/support/specification.h"

/* --- as on one Redis ------------------------------------------------------------------ */

static void works_on_all_nodes(void **state)
{
    (void)state;
    start();
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(must_accept_one(&driver, name(i), "token", event_of(i)), ACCEPT_ACCEPTED);
    assert_int_equal(must_accept_one(&driver, name(0), "token", event_of(99)), ACCEPT_DUPLICATE);
    must_count(&driver, MANY, 0);
    for (size_t node = 0; node < cluster.masters; node++)
        assert_string_not_equal(redis_server_cli(cluster.nodes[node], "DBSIZE"),
                                "0"); /* each has some of it */
    claim_everything(MANY);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(must_get(&driver, name(i))->state, DELIVERY_DELIVERED);
    must_count(&driver, 0, 0);
    stop();
}

static void passes_over_dead_seeds(void **state)
{
    (void)state;
    struct redis_url url;
    redis_cluster_url(&cluster, &url);
    url.seeds.count = 3;
    url.seeds.addresses[2] = url.seeds.addresses[1];
    url.seeds.addresses[0].port = 1; /* nobody listens */
    (void)snprintf(url.seeds.addresses[1].host, sizeof url.seeds.addresses[1].host,
                   "no-such-host.invalid");
    start_at(&url);
    wait_for_shards(SHARDS);
    (void)must_accept_one(&driver, name(1), "token", event_of(1));
    stop();
}

static void names_the_right_url(void **state)
{
    (void)state;
    struct redis_url url;
    struct store_health health;
    static const struct store_options options = {
        .ttl_ms = DRIVER_TTL_MS, .lease_ms = DRIVER_LEASE_MS, .age_max_ms = DRIVER_AGE_MAX_MS};
    redis_server_url(cluster.nodes[0], &url);
    driver_start_with(&driver, &url, &options);
    int64_t deadline_ms = clock_monotonic_ms() + 10000;
    while (store_health(driver.store, &health), strstr(health.reason, "redis+cluster://") == NULL) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("the reason is \"%s\"", health.reason);
        driver_turn(&driver);
    }
    assert_false(health.is_ready);
    driver_stop(&driver);
}

/* --- a node that is away --------------------------------------------------------------- */

static struct store_census counted;

static void take_census(void *context, const struct store_failure *failure,
                        const struct store_census *census)
{
    (void)context;
    assert_int_equal(failure->status, STORE_OK);
    counted = *census;
}

static void must_count_some(bool is_partial, unsigned due)
{
    struct error error;
    counted = (struct store_census){.due = -1};
    assert_true(store_census_of_some(driver.store, take_census, NULL, &error));
    driver_settle_down(&driver);
    assert_int_equal(counted.is_partial, is_partial);
    assert_int_equal(counted.due, due);
}

/* All are not known while one node is away. */
static void must_not_count(void)
{
    struct error error;
    assert_false(store_census(driver.store, 0, take_census, NULL, &error));
    assert_int_equal(error.kind, ERROR_IO);
}

static void goes_on_without_a_node(void **state)
{
    (void)state;
    struct store_health health;
    unsigned taken = 0, refused = 0;
    start();
    redis_server_kill(cluster.nodes[1]);
    for (unsigned i = 0; i < MANY; i++) {
        bool is_taken = try_to_accept(i);
        unsigned shard = shard_of(name(i), SHARDS);
        bool is_away = slot_of_shard(shard) / (SLOT_COUNT / 3 + 1) == 1;
        assert_int_equal(is_taken, !is_away);
        taken += is_taken;
        refused += !is_taken;
    }
    assert_true(taken > 0 && refused > 0);
    store_health(driver.store, &health);
    assert_true(health.is_ready);
    assert_in_range(health.shards_ready, 1, SHARDS - 1);
    assert_non_null(strstr(health.reason, "shards are away, of 127.0.0.1:"));
    must_not_count();
    must_count_some(true, taken);
    redis_server_restart(cluster.nodes[1]);
    for (unsigned i = 0; i < MANY; i++)
        accept_in_the_end(i);
    wait_for_shards(SHARDS);
    must_count(&driver, MANY, 0);
    must_count_some(false, MANY);
    claim_everything(MANY);
    stop();
}

/* Else a failover would lose what it has not, as one does at this level of durability. */
static void wait_for_replica(size_t master)
{
    char keys[16];
    int64_t deadline_ms = clock_monotonic_ms() + 10000;
    (void)snprintf(keys, sizeof keys, "%s", redis_server_cli(cluster.nodes[master], "DBSIZE"));
    while (strcmp(redis_server_cli(cluster.nodes[3 + master], "DBSIZE"), keys) != 0)
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("the replica of %zu has not all of its %s keys", master, keys);
}

static void follows_a_failover(void **state)
{
    (void)state;
    start();
    for (unsigned i = 0; i < MANY; i++)
        (void)must_accept_one(&driver, name(i), "token", event_of(i));
    for (size_t i = 0; i < 3; i++)
        wait_for_replica(i);
    redis_server_kill(cluster.nodes[2]);
    for (unsigned i = MANY; i < MANY + 20; i++)
        accept_in_the_end(i);
    wait_for_shards(SHARDS);
    must_count(&driver, MANY + 20, 0);
    claim_everything(MANY + 20);
    redis_server_restart(cluster.nodes[2]); /* as a replica of its own successor */
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(must_accept_one(&driver, name(i), "newer", event_of(i)), ACCEPT_REPLACED);
    stop();
}

/* --- a slot that moves ------------------------------------------------------------------ */

static void follows_a_slot(void **state)
{
    (void)state;
    start();
    for (unsigned i = 0; i < MANY; i++)
        (void)must_accept_one(&driver, name(i), "token", event_of(i));
    unsigned shard = shard_of(name(7), SHARDS), slot = slot_of_shard(shard);
    size_t from = redis_cluster_owner(&cluster, 0, slot), to = (from + 1) % 3;
    redis_cluster_begin_move(&cluster, slot, from, to);
    assert_false(try_to_accept(7)); /* refused while it is on its way, since keys are missing */
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    redis_cluster_move_keys(&cluster, slot, from, to);
    assert_false(try_to_accept(7));
    struct store_health health;
    store_health(driver.store, &health);
    assert_int_equal(health.shards_ready, SHARDS); /* that is no trouble of a node */
    redis_cluster_end_move(&cluster, slot, to);
    assert_true(try_to_accept(7)); /* MOVED is followed at once */
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_DUPLICATE);
    assert_int_equal(must_get(&driver, name(7))->state, DELIVERY_PENDING);
    claim_everything(MANY);
    must_count(&driver, 0, 0);
    stop();
}

/* Its caller names what the node gives that the call was sent to. */
static void follows_to_no_node_that_gives_less(void **state)
{
    (void)state;
    redis_cluster_start(&cluster, 3, 0, REDIS_SERVER_TCP);
    unsigned shard = shard_of(name(7), SHARDS), slot;
    struct durability durability;
    start();
    slot = slot_of_shard(shard);
    size_t from = redis_cluster_owner(&cluster, 0, slot), to = (from + 1) % 3;
    stop();
    (void)redis_server_cli(cluster.nodes[to], "CONFIG SET appendfsync everysec");
    start();
    assert_true(store_takes_events_for(driver.store, shard, &durability));
    assert_int_equal(durability.level, DURABILITY_FSYNC);
    redis_cluster_begin_move(&cluster, slot, from, to);
    redis_cluster_move_keys(&cluster, slot, from, to);
    redis_cluster_end_move(&cluster, slot, to);
    assert_false(try_to_accept(7));
    assert_int_equal(driver.failure.status, STORE_REFUSED);
    assert_true(store_takes_events_for(driver.store, shard, &durability));
    assert_int_equal(durability.level, DURABILITY_REDIS);
    assert_true(try_to_accept(7));
    stop();
}

/* --- a link that is about to end --------------------------------------------------------- */

static struct store_link *link_to(size_t node)
{
    struct store_link *link;
    TAILQ_FOREACH(link, &driver.store->links, links)
    {
        if (link->options.node.port == redis_server_port(cluster.nodes[node]))
            return link;
    }
    return NULL;
}

static void must_lead_to_links_that_are_there(void)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        const struct store_link *link;
        TAILQ_FOREACH(link, &driver.store->links, links)
        {
            if (link == driver.store->shards[i].link)
                break;
        }
        assert_ptr_equal(link, driver.store->shards[i].link);
    }
}

static void move_all_shards(size_t from, size_t to)
{
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        unsigned slot = slot_of_shard(shard);
        if (redis_cluster_owner(&cluster, to, slot) != from)
            continue;
        redis_cluster_begin_move(&cluster, slot, from, to);
        redis_cluster_move_keys(&cluster, slot, from, to);
        redis_cluster_end_move(&cluster, slot, to);
    }
}

/* Of the application 7, while the node stands still: it keeps the link to it. */
static void accept_at_a_still_node(size_t node)
{
    struct error error;
    const struct accept_item item = {.application_id = name(7),
                                     .seek_token = "token",
                                     .event_id = event_of(7),
                                     .completed_at_ms = -1};
    redis_server_freeze(cluster.nodes[node]);
    assert_true(store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error));
    store_flush(driver.store);
}

static void keeps_a_link_that_a_shard_goes_back_to(void **state)
{
    (void)state;
    start();
    struct shard *own = store_shard_of(driver.store, name(7)), *other = driver.store->shards;
    size_t from = redis_cluster_owner(&cluster, 0, slot_of_shard(own->number));
    struct store_link *link = link_to(from);
    move_all_shards(from, (from + 1) % 3);
    accept_at_a_still_node(from);
    shard_map_want(map);
    int64_t deadline_ms = clock_monotonic_ms() + 1500;
    while (link->inspection.own_count > 0 && clock_monotonic_ms() < deadline_ms)
        driver_turn(&driver);
    assert_int_equal(link->inspection.own_count, 0); /* the map has no shard there any more */
    while (other->link == link)
        other++;
    char moved[64]; /* as its new node says when it has just given it back: at its own host */
    (void)snprintf(moved, sizeof moved, "MOVED %u :%u", slot_of_shard(other->number),
                   redis_server_port(cluster.nodes[from]));
    const struct store_link *answering = other->link;
    other->link = NULL; /* the map had nobody for it, meanwhile */
    assert_ptr_equal(
        store_find_moved(driver.store, other, answering, moved, link->health.durability), link);
    assert_true(store_take_moved(driver.store));
    redis_server_thaw(cluster.nodes[from]);
    driver_settle_down(&driver);
    deadline_ms = clock_monotonic_ms() + 300;
    while (clock_monotonic_ms() < deadline_ms) {
        driver_turn(&driver);
        must_lead_to_links_that_are_there();
    }
    stop();
}

static void works_on_a_cluster_of_one(void **state)
{
    (void)state;
    redis_cluster_start(&cluster, 1, 0, REDIS_SERVER_TCP);
    start();
    for (unsigned i = 0; i < MANY; i++)
        (void)must_accept_one(&driver, name(i), "token", event_of(i));
    claim_everything(MANY);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_THREE("works on all nodes as on one Redis", works_on_all_nodes),
        ON_THREE("passes over dead seeds", passes_over_dead_seeds),
        ON_THREE("names the right URL when it meets a cluster unawares", names_the_right_url),
        ON_THREE("goes on with the others while a node is away", goes_on_without_a_node),
        ON_SIX("follows a failover", follows_a_failover),
        ON_THREE("follows a slot to another node, and is refused while it moves", follows_a_slot),
        ON_THREE("keeps a link that a shard has just gone back to",
                 keeps_a_link_that_a_shard_goes_back_to),
        IT_WITH("follows a slot to no node that gives less than the caller was told",
                follows_to_no_node_that_gives_less, NULL, stop_cluster),
        IT_WITH("works on a cluster of one node", works_on_a_cluster_of_one, NULL, stop_cluster),
    };
    return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
