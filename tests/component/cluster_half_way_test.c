/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* A queue on a Redis Cluster, where the move of a slot was begun and not ended. */
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/store_internal.h"

#include "tests/support/cluster_stand.h"
#include "tests/support/specification.h"

static void must_take_all_but(unsigned away)
{
    for (unsigned i = 0; i < MANY; i++)
        if (shard_of(name(i), SHARDS) != away)
            assert_true(try_to_accept(i));
}

/* Nobody has looked yet at what lies in the shard, and it answers nothing. */
static void starts_while_a_slot_moves(void **state)
{
    (void)state;
    unsigned shard = shard_of(name(7), SHARDS), slot;
    struct store_health health;
    start();
    (void)must_accept_one(&driver, name(7), "token", event_of(7));
    slot = slot_of_shard(shard);
    size_t from = redis_cluster_owner(&cluster, 0, slot), to = (from + 1) % 3;
    stop();
    redis_cluster_begin_move(&cluster, slot, from, to);
    start_with_shards(SHARDS - 1);
    driver_must_become(&driver, true); /* at the start, all are waited for some time */
    store_health(driver.store, &health);
    assert_non_null(strstr(health.reason, "1 of 12 shards are away, of 127.0.0.1:"));
    assert_non_null(strstr(health.reason, "the data is being moved to another node"));
    assert_false(store_takes_events_for(driver.store, shard, NULL));
    assert_false(try_to_accept(7));
    must_take_all_but(shard);
    redis_cluster_move_keys(&cluster, slot, from, to);
    redis_cluster_end_move(&cluster, slot, to);
    wait_for_shards(SHARDS);
    assert_true(try_to_accept(7));
    assert_int_equal(driver.accepted[0].outcome, ACCEPT_DUPLICATE);
    stop();
}

static void starts_while_all_slots_of_a_node_move(void **state)
{
    (void)state;
    struct store_health health;
    unsigned slots[SHARDS], count = 0;
    start();
    for (unsigned i = 0; i < SHARDS; i++)
        if (redis_cluster_owner(&cluster, 0, slot_of_shard(i)) == 0)
            slots[count++] = slot_of_shard(i);
    stop();
    assert_in_range(count, 1, SHARDS - 1);
    for (unsigned i = 0; i < count; i++)
        redis_cluster_begin_move(&cluster, slots[i], 0, 1);
    start_with_shards(SHARDS - count);
    const char *reason = "the data is being moved to another node";
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    while (store_health(driver.store, &health), strstr(health.reason, reason) == NULL) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("the reason is \"%s\"", health.reason);
        driver_turn(&driver);
    }
    for (unsigned i = 0; i < count; i++)
        redis_cluster_give_up_move(&cluster, slots[i], 0, 1);
    wait_for_shards(SHARDS);
    must_take_all_but(SHARDS);
    stop();
}

/* Whichever shard is the next to be tried: here the one that moves. */
static void sees_a_fall_while_a_slot_moves(void **state)
{
    (void)state;
    redis_cluster_start(&cluster, 3, 0, REDIS_SERVER_TCP);
    struct store_health health;
    start();
    struct inspection *inspection = &driver.store->shards[0].link->inspection;
    size_t from = redis_cluster_owner(&cluster, 0, slot_of_shard(0)), to = (from + 1) % 3;
    unsigned next = inspection->own[inspection->rounds % inspection->own_count];
    assert_true(inspection->own_count > 1);
    redis_cluster_begin_move(&cluster, slot_of_shard(next), from, to);
    (void)redis_server_cli(cluster.nodes[from], "CONFIG SET appendfsync everysec");
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    inspection->next_at_ms = 0; /* instead of waiting for its turn */
    while (store_health(driver.store, &health), health.durability.level != DURABILITY_REDIS) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("the fall of a node is not seen: %s", health.reason);
        driver_turn(&driver);
    }
    assert_int_equal(health.shards_ready, SHARDS);
    must_take_all_but(next);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_THREE("starts with all shards but one whose slot moves", starts_while_a_slot_moves),
        ON_THREE("starts while all slots of a node move, and says so",
                 starts_while_all_slots_of_a_node_move),
        IT_WITH("sees that a node gives less while a slot of it moves",
                sees_a_fall_while_a_slot_moves, NULL, stop_cluster),
    };
    return cmocka_run_group_tests_name("cluster_half_way", tests, NULL, NULL);
}
