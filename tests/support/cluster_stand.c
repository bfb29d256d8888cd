/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "tests/support/cluster_stand.h"

#include <stdio.h>

#include "lib/base/clock.h"

#include "service/store/shard_map.h"
#include "service/store/slot.h"
#include "service/store/store_internal.h"

#include "tests/support/specification.h"

struct redis_cluster cluster;
struct driver driver;
struct shard_map *map;

int start_cluster(void **state)
{
    (void)state;
    redis_cluster_start(&cluster, 3, 1, REDIS_SERVER_TCP);
    return 0;
}

int start_masters(void **state)
{
    (void)state;
    redis_cluster_start(&cluster, 3, 0, REDIS_SERVER_TCP);
    return 0;
}

int stop_cluster(void **state)
{
    (void)state;
    redis_cluster_stop(&cluster);
    return 0;
}

void start_at(const struct redis_url *url)
{
    map = shard_map_create(SHARD_PREFIX_DEFAULT, SHARDS, NULL);
    assert_non_null(map);
    const struct store_options options = {.ttl_ms = DRIVER_TTL_MS,
                                          .lease_ms = DRIVER_LEASE_MS,
                                          .age_max_ms = DRIVER_AGE_MAX_MS,
                                          .shard_count = SHARDS,
                                          .map = map};
    driver_start_with(&driver, url, &options);
}

void stop(void)
{
    driver_stop(&driver);
    shard_map_destroy(map);
}

void wait_for_shards(unsigned ready)
{
    struct store_health health;
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    while (store_health(driver.store, &health), health.shards_ready != ready) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("%u shards are ready: %s", health.shards_ready, health.reason);
        driver_turn(&driver);
    }
}

void start_with_shards(unsigned ready)
{
    struct redis_url url;
    redis_cluster_url(&cluster, &url);
    start_at(&url);
    wait_for_shards(ready);
}

void start(void)
{
    start_with_shards(SHARDS);
}

const char *name(unsigned number)
{
    static char names[8][16];
    static unsigned next;
    char *text = names[next++ % 8];
    (void)snprintf(text, sizeof names[0], "A-%03u", number);
    return text;
}

const char *event_of(unsigned number)
{
    static char text[40];
    (void)snprintf(text, sizeof text, "0b9cf2d3-9e0b-4e4f-8a00-%04u00000000", number);
    return text;
}

unsigned slot_of_shard(unsigned shard)
{
    return slot_of(driver.store->shards[shard].keys[SHARD_DUE]);
}

/* Whether it was taken; a refusal is an answer. */
bool try_to_accept(unsigned number)
{
    struct error error;
    const struct accept_item item = {.application_id = name(number),
                                     .seek_token = "token",
                                     .event_id = event_of(number),
                                     .completed_at_ms = -1};
    if (!store_accept(driver.store, &item, 1, 0, driver_accept_done, &driver, &error))
        return false;
    driver_settle_down(&driver);
    return driver.failure.status == STORE_OK;
}

void accept_in_the_end(unsigned number)
{
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    while (!try_to_accept(number)) {
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("%s is not taken: %s", name(number), driver.failure.detail);
        driver_turn(&driver);
    }
}

void claim_everything(unsigned most)
{
    int64_t deadline_ms = clock_monotonic_ms() + 20000;
    static const struct verdict done = {.class = VERDICT_DELIVERED, .http_status = 200};
    for (unsigned count = 0; count < most;) {
        size_t claimed = must_claim(&driver, 1);
        if (clock_monotonic_ms() > deadline_ms)
            fail_msg("%u of %u are claimed", count, most);
        if (claimed == 0)
            continue;
        char id[16];
        (void)snprintf(id, sizeof id, "%s", driver.claims[0].application_id);
        assert_int_equal(
            must_settle(&driver, id, driver.claims[0].generation, SETTLE_DELIVERED, 0, &done),
            SETTLED);
        count++;
    }
}
