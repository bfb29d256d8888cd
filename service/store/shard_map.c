/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/shard_map.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mutex.h"
#include "lib/net/event_loop.h"

#include "service/store/slot.h"

struct shard_map {
    /* Set by create, then read-only. */
    unsigned shard_count;
    unsigned slots[SHARD_COUNT_MAX];
    /* Any thread. */
    _Atomic uint64_t version;
    _Atomic bool is_wanted;
    /* Any thread, holding shared.lock. */
    struct {
        struct mutex lock;
        bool is_asked_for; /* somebody is asking */
        int64_t not_before_ms;
        uint64_t epoch;
        struct shard_nodes nodes;
        LIST_HEAD(, shard_map_follower) followers;
        char reason[SHARD_MAP_REASON_BYTES];
        char logged[SHARD_MAP_REASON_BYTES]; /* the reason of cluster_lost; "": it is not */
    } shared;
};

struct shard_map *shard_map_create(const char *prefix, unsigned shard_count, struct error *error)
{
    assert(shard_count > 0 && shard_count <= SHARD_COUNT_MAX);
    struct shard_map *map = calloc(1, sizeof *map);
    if (map == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    map->shard_count = shard_count;
    for (unsigned i = 0; i < shard_count; i++) {
        struct shard shard;
        shard_init(&shard, prefix, i);
        map->slots[i] = slot_of(shard.keys[SHARD_DUE]);
        map->shared.nodes.node_of[i] = -1;
    }
    atomic_init(&map->version, 0);
    atomic_init(&map->is_wanted, true);
    mutex_init(&map->shared.lock);
    LIST_INIT(&map->shared.followers);
    map->shared.not_before_ms = INT64_MIN;
    return map;
}

void shard_map_destroy(struct shard_map *map)
{
    if (map == NULL)
        return;
    assert(!map->shared.is_asked_for);
    assert(LIST_EMPTY(&map->shared.followers));
    mutex_fini(&map->shared.lock);
    free(map);
}

uint64_t shard_map_version(const struct shard_map *map)
{
    return atomic_load(&map->version);
}

uint64_t shard_map_copy(struct shard_map *map, struct shard_nodes *out)
{
    mutex_lock(&map->shared.lock);
    *out = map->shared.nodes;
    uint64_t version = atomic_load(&map->version);
    mutex_unlock(&map->shared.lock);
    return version;
}

void shard_map_follow(struct shard_map *map, struct shard_map_follower *follower)
{
    mutex_lock(&map->shared.lock);
    LIST_INSERT_HEAD(&map->shared.followers, follower, links);
    mutex_unlock(&map->shared.lock);
}

void shard_map_leave(struct shard_map *map, struct shard_map_follower *follower)
{
    mutex_lock(&map->shared.lock);
    LIST_REMOVE(follower, links);
    mutex_unlock(&map->shared.lock);
}

void shard_map_reason(struct shard_map *map, char out[SHARD_MAP_REASON_BYTES])
{
    mutex_lock(&map->shared.lock);
    memcpy(out, map->shared.reason, sizeof map->shared.reason);
    mutex_unlock(&map->shared.lock);
}

void shard_map_note_trouble(struct shard_map *map, const char *reason)
{
    mutex_lock(&map->shared.lock);
    (void)snprintf(map->shared.reason, sizeof map->shared.reason, "%.*s",
                   (int)sizeof map->shared.reason - 1, reason);
    mutex_unlock(&map->shared.lock);
}

void shard_map_note_lost(struct shard_map *map, const char *addresses)
{
    char reason[SHARD_MAP_REASON_BYTES];
    mutex_lock(&map->shared.lock);
    memcpy(reason, map->shared.reason, sizeof reason);
    bool is_news = strcmp(reason, map->shared.logged) != 0;
    memcpy(map->shared.logged, reason, sizeof reason);
    mutex_unlock(&map->shared.lock);
    if (is_news)
        log_warn("cluster_lost", reason, LOG_TEXT("addresses", addresses));
}

/* --- who asks ------------------------------------------------------------------------ */

void shard_map_want(struct shard_map *map)
{
    atomic_store(&map->is_wanted, true);
}

int64_t shard_map_wait_ms(struct shard_map *map, int64_t now_ms)
{
    if (!atomic_load(&map->is_wanted))
        return -1;
    mutex_lock(&map->shared.lock);
    int64_t wait_ms = map->shared.is_asked_for              ? -1
                      : map->shared.not_before_ms <= now_ms ? 0
                                                            : map->shared.not_before_ms - now_ms;
    mutex_unlock(&map->shared.lock);
    return wait_ms;
}

bool shard_map_begin(struct shard_map *map, int64_t now_ms)
{
    if (!atomic_load(&map->is_wanted))
        return false;
    mutex_lock(&map->shared.lock);
    bool is_begun = !map->shared.is_asked_for && map->shared.not_before_ms <= now_ms;
    map->shared.is_asked_for |= is_begun;
    if (is_begun) /* what is met from now on asks for another */
        atomic_store(&map->is_wanted, false);
    mutex_unlock(&map->shared.lock);
    return is_begun;
}

static void end(struct shard_map *map, int64_t now_ms) REQUIRES(map->shared.lock)
{
    assert(map->shared.is_asked_for);
    map->shared.is_asked_for = false;
    map->shared.not_before_ms = now_ms + SHARD_MAP_INTERVAL_MS;
}

void shard_map_abandon(struct shard_map *map, int64_t now_ms)
{
    mutex_lock(&map->shared.lock);
    end(map, now_ms);
    atomic_store(&map->is_wanted, true);
    mutex_unlock(&map->shared.lock);
}

static bool is_same_place(const struct shard_nodes *a, int at, const struct shard_nodes *b, int bt)
{
    if (at < 0 || bt < 0)
        return at < 0 && bt < 0;
    return a->nodes[at].port == b->nodes[bt].port &&
           strcmp(a->nodes[at].host, b->nodes[bt].host) == 0;
}

static bool is_same(const struct shard_map *map, const struct shard_nodes *nodes)
    REQUIRES(map->shared.lock)
{
    const struct shard_nodes *known = &map->shared.nodes;
    for (unsigned i = 0; i < map->shard_count; i++)
        if (!is_same_place(known, known->node_of[i], nodes, nodes->node_of[i]))
            return false;
    return true;
}

static bool has_gap(const struct shard_map *map, const struct shard_nodes *nodes)
{
    for (unsigned i = 0; i < map->shard_count; i++)
        if (nodes->node_of[i] < 0)
            return true;
    return false;
}

/* Under the lock, since who leaves must not be woken any more; waking up never blocks. */
static void wake_followers(struct shard_map *map) REQUIRES(map->shared.lock)
{
    struct shard_map_follower *follower;
    LIST_FOREACH(follower, &map->shared.followers, links)
    event_loop_wake(follower->loop);
}

bool shard_map_found(struct shard_map *map, const struct shard_nodes *nodes, uint64_t epoch,
                     bool is_last_word, int64_t now_ms)
{
    mutex_lock(&map->shared.lock);
    bool is_taken = is_last_word || epoch >= map->shared.epoch;
    bool was_lost = is_taken && map->shared.logged[0] != '\0';
    if (is_taken) {
        bool is_changed = !is_same(map, nodes);
        map->shared.nodes = *nodes;
        map->shared.epoch = epoch;
        map->shared.reason[0] = map->shared.logged[0] = '\0';
        atomic_fetch_add(&map->version, 1);
        end(map, now_ms);
        if (has_gap(map, nodes)) /* it may be found before any call or turn misses it */
            atomic_store(&map->is_wanted, true);
        if (is_changed)
            wake_followers(map); /* a loop may rest for long, and would meet the old node first */
    }
    mutex_unlock(&map->shared.lock);
    if (was_lost)
        log_info("cluster_found", "A node of the cluster says again where the data is");
    return is_taken;
}

/* --- reading ------------------------------------------------------------------------- */

static int find_node(struct shard_nodes *nodes, const char *host, uint16_t port)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->nodes[i].port == port && strcmp(nodes->nodes[i].host, host) == 0)
            return (int)i;
    assert(nodes->count < SHARD_COUNT_MAX); /* each has a shard */
    struct redis_address *node = &nodes->nodes[nodes->count];
    (void)snprintf(node->host, sizeof node->host, "%s", host);
    node->port = port;
    return (int)nodes->count++;
}

/* "ip" of what a node tells about itself beside host and port. "": it tells none. */
static const char *find_ip(const struct redis_reply *node)
{
    if (redis_reply_length(node) < 4)
        return "";
    const struct redis_reply *facts = redis_reply_item(node, 3);
    for (size_t i = 0; i + 1 < redis_reply_length(facts); i += 2)
        if (strcmp(redis_reply_text(redis_reply_item(facts, i), NULL), "ip") == 0)
            return redis_reply_text(redis_reply_item(facts, i + 1), NULL);
    return "";
}

/* A node that announces no host is where the question went, and one whose host nobody knows ("?")
 * at its address, if that is told. "": nobody knows where. */
static const char *find_host(const struct redis_reply *node, const char *asked)
{
    const char *host = redis_reply_text(redis_reply_item(node, 0), NULL);
    if (host[0] == '\0')
        return asked;
    return strcmp(host, "?") == 0 ? find_ip(node) : host;
}

/* First slot, last slot, and who has them: the master, then its replicas. The port of a master
 * whose address is lost is 0: its slots are as those that nobody has. */
static bool read_range(const struct shard_map *map, const struct redis_reply *range,
                       const char *asked, struct shard_nodes *out)
{
    if (redis_reply_length(range) < 3)
        return false;
    const struct redis_reply *master = redis_reply_item(range, 2);
    int64_t first = redis_reply_integer(redis_reply_item(range, 0));
    int64_t last = redis_reply_integer(redis_reply_item(range, 1));
    if (redis_reply_length(master) < 2)
        return false;
    int64_t port = redis_reply_integer(redis_reply_item(master, 1));
    const char *host = find_host(master, asked);
    if (port < 0 || port > UINT16_MAX || strlen(host) >= sizeof out->nodes[0].host)
        return false;
    if (port == 0 || host[0] == '\0')
        return true;
    for (unsigned i = 0; i < map->shard_count; i++)
        if (map->slots[i] >= first && map->slots[i] <= last && out->node_of[i] < 0)
            out->node_of[i] = find_node(out, host, (uint16_t)port);
    return true;
}

bool shard_map_read(const struct shard_map *map, const struct redis_reply *reply, const char *asked,
                    struct shard_nodes *out, struct error *error)
{
    out->count = 0;
    for (unsigned i = 0; i < map->shard_count; i++)
        out->node_of[i] = -1;
    if (redis_reply_type(reply) != REDIS_TYPE_ARRAY)
        return error_set(error, ERROR_IO, "it does not answer CLUSTER SLOTS as a cluster does");
    for (size_t i = 0; i < redis_reply_length(reply); i++)
        if (!read_range(map, redis_reply_item(reply, i), asked, out))
            return error_set(error, ERROR_IO, "it does not answer CLUSTER SLOTS as a cluster does");
    return out->count > 0 || error_set(error, ERROR_IO, "no node of the cluster has our slots");
}

bool shard_map_read_moved(const char *answer, const char *asked, struct redis_address *out)
{
    static const char word[] = "MOVED ";
    if (strncmp(answer, word, sizeof word - 1) != 0)
        return false;
    const char *address = strchr(answer + sizeof word - 1, ' ');
    const char *colon = address != NULL ? strrchr(address, ':') : NULL;
    if (colon == NULL)
        return false;
    char *rest;
    unsigned long port = strtoul(colon + 1, &rest, 10);
    size_t length = (size_t)(colon - address - 1);
    if (port < 1 || port > UINT16_MAX || *rest != '\0' || length >= sizeof out->host)
        return false;
    memcpy(out->host, address + 1, length);
    out->host[length] = '\0';
    if (strcmp(out->host, "?") == 0) /* the map tells more */
        return false;
    if (out->host[0] == '\0')
        (void)snprintf(out->host, sizeof out->host, "%s", asked);
    out->port = (uint16_t)port;
    return true;
}
