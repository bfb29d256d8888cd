/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/net/event_loop.h"

#include "service/command/check_parts.h"
#include "service/config/config.h"
#include "service/private_redis/embedded_redis.h"
#include "service/serve/redis_location.h"
#include "service/store/store.h"

enum { REDIS_PATIENCE_MS = 10000 /* a name may take 5 s */ };

static bool is_all_seen(const struct store_health *health)
{
    return health->is_ready && (health->is_refusing || health->shards_ready == health->shard_count);
}

/* A line for each node of a cluster, and one for a clock that differs. */
static bool report_nodes(const struct store *store, const struct store_health *health)
{
    bool are_fine = true;
    struct store_node node;
    if (health->is_clock_known)
        check_redis_clock(health->clock_ahead_ms);
    for (size_t i = 0; store_node(store, i, &node); i++) {
        bool is_fine = node.health.is_ready && !node.health.is_refusing;
        are_fine &= is_fine;
        (void)check_report(is_fine, "Redis node", "%s, with %u shards%s%s", node.address,
                           node.shards, node.health.reason[0] != '\0' ? ": " : "",
                           node.health.reason);
    }
    return are_fine;
}

/* Turns the store until preflight finds it ready, or patience ends. */
static void wait_for_health(struct store *store, struct event_loop *loop,
                            struct store_health *health)
{
    int64_t now_ms = clock_monotonic_ms();
    const int64_t deadline_ms = now_ms + REDIS_PATIENCE_MS;
    for (store_health(store, health); !is_all_seen(health) && now_ms < deadline_ms;
         store_health(store, health)) {
        int64_t wait_ms = clock_sooner_ms(store_timeout_ms(store, now_ms), deadline_ms - now_ms);
        event_loop_poll(loop, wait_ms);
        now_ms = clock_monotonic_ms();
        store_turn(store, now_ms);
    }
}

/* A service that runs with the same settings has a private Redis there already. NULL: nobody has.
 */
static struct secret *find_running_redis(const char *data_dir)
{
    char url[sizeof "unix:///redis.sock" + PATH_MAX];
    char directory[PATH_MAX];
    if (realpath(data_dir, directory) == NULL)
        return NULL;
    (void)snprintf(url, sizeof url, "unix://%s/redis.sock", directory);
    return access(url + sizeof "unix://" - 1, F_OK) == 0 ? secret_from_value(url, NULL) : NULL;
}

bool check_redis(const struct config *config)
{
    struct error error;
    AUTO(embedded_redis) *embedded = NULL;
    struct redis_location location;
    if (!redis_location_init(&location, config, &error))
        return check_report(false, "Redis", "%s", error.message);
    AUTO(shard_map) *map = location.map;
    AUTO(secret) *running = NULL;
    if (config->redis_url == NULL) {
        bool is_there = access(config->data_dir, F_OK) == 0; /* a Redis may run in it */
        if (!is_there && check_is_of_another(config->data_dir, "Redis", "SEEK_SIGNAL_DATA_DIR"))
            return true;
        embedded = embedded_redis_start(config->data_dir, &error);
        if (embedded == NULL)
            running = find_running_redis(config->data_dir);
        if (embedded == NULL && running == NULL)
            return check_is_of_another(config->data_dir, "Redis", "SEEK_SIGNAL_DATA_DIR") ||
                   check_report(false, "Redis", "%s", error.message);
        location.url = running;
        location.embedded = embedded;
    }
    const struct store_options options = {
        .locate = redis_location_find,
        .context = &location,
        .prefix = config->redis_prefix,
        .shard_count = location.shard_count,
        .map = map,
        .environment = config->environment,
        .tls = redis_location_tls(config),
        .demand = config->durability,
        .ttl_ms = 1,
        .lease_ms = 1,
        .age_max_ms = 1,
        .role = "check",
        .is_visitor = true,
    };
    AUTO(event_loop) *loop = event_loop_create(&error);
    if (loop == NULL)
        return check_report(false, "Redis", "%s", error.message);
    AUTO(store) *store = store_create(&options, loop, &error);
    struct store_health health;
    if (store == NULL)
        return check_report(false, "Redis", "%s", error.message);
    wait_for_health(store, loop, &health);
    bool are_nodes_fine = report_nodes(store, &health);
    if (!are_nodes_fine || !is_all_seen(&health) || health.is_refusing)
        return check_report(false, "Redis", "%s", health.reason);
    char place[sizeof " at " + REDIS_PEER_BYTES];
    (void)snprintf(place, sizeof place, "%s%s", *store_peer(store) != '\0' ? " at " : "",
                   store_peer(store));
    return check_report(true, "Redis",
                        "%s%s; an acknowledged event is durable at the level \"%s\"%s%s",
                        config->redis_url != NULL ? "reached"
                        : running != NULL         ? "private Redis of the running service reached"
                                                  : "private Redis started",
                        place, durability_name(health.durability),
                        *health.reason != '\0' ? "; note: " : "", health.reason);
}
