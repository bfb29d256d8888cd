/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/store_cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/host.h"

static struct store_link *find_link(const struct store *store, const struct redis_address *node)
{
    struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    {
        if (link->options.node.port == node->port &&
            strcmp(link->options.node.host, node->host) == 0)
            return link;
    }
    return NULL;
}

/* NULL: no memory; the next turn tries again. */
static struct store_link *make_link(struct store *store, const struct redis_address *node)
{
    struct store_link_options link_options = store->cluster->link_options;
    link_options.node = *node;
    struct error error;
    struct store_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    if (store_link_init(link, &link_options, store->loop, &error)) {
        TAILQ_INSERT_TAIL(&store->links, link, links);
        return link;
    }
    store_link_fini(link);
    free(link);
    return NULL;
}

/* --- after the map ------------------------------------------------------------------- */

static void give_shards(struct store *store, struct store_link *link)
{
    unsigned numbers[SHARD_COUNT_MAX];
    size_t count = 0;
    assert(store->shard_count <= SHARD_COUNT_MAX);
    for (unsigned i = 0; i < store->shard_count; i++)
        if (store->shards[i].link == link)
            numbers[count++] = i;
    store_link_set_shards(link, numbers, count);
}

/* One that MOVED names may have shards before the map says so: see store_find_moved. */
static bool has_shards(const struct store *store, const struct store_link *link)
{
    for (unsigned i = 0; i < store->shard_count; i++)
        if (store->shards[i].link == link)
            return true;
    return link->inspection.own_count > 0;
}

/* A link without shards ends once nobody waits for it. */
static struct store_link *find_idle_link(const struct store *store)
{
    struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    {
        if (link->calls_open == 0 && !has_shards(store, link))
            return link;
    }
    return NULL;
}

/* One in a turn; where several are to end, the next turn is soon enough. */
static void end_link(struct store *store)
{
    struct store_link *link = find_idle_link(store);
    if (link == NULL || store->cluster->moving > 0) /* one of them may be waited for */
        return;
    TAILQ_REMOVE(&store->links, link, links);
    store_link_fini(link);
    free(link);
}

enum { FOLLOW_AGAIN_MS = 100 }; /* without memory */

static bool follow(struct store *store)
{
    struct store_cluster *cluster = store->cluster;
    assert(cluster->map == store->options.map && !cluster->is_closing);
    uint64_t version = shard_map_copy(cluster->map, &cluster->nodes);
    struct store_link *of_node[SHARD_COUNT_MAX];
    for (size_t i = 0; i < cluster->nodes.count; i++) {
        of_node[i] = find_link(store, &cluster->nodes.nodes[i]);
        if (of_node[i] == NULL)
            of_node[i] = make_link(store, &cluster->nodes.nodes[i]);
        if (of_node[i] == NULL)
            return false;
    }
    for (unsigned i = 0; i < store->shard_count; i++) {
        int node = cluster->nodes.node_of[i];
        store->shards[i].link = node >= 0 ? of_node[node] : NULL;
    }
    struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    give_shards(store, link);
    cluster->version = version;
    return true;
}

/* A node that is away may have been replaced, and a slot that nobody had may have found one. */
static void want_if_away(struct store *store)
{
    for (unsigned i = 0; i < store->shard_count; i++) {
        const struct store_link *link = store->shards[i].link;
        if (link == NULL || !redis_client_is_open(link->client)) {
            shard_map_want(store->cluster->map);
            return;
        }
    }
}

/* --- health -------------------------------------------------------------------------- */

static bool is_on_its_way(const struct shard *shard)
{
    return shard->is_moving && shard->link != NULL && redis_client_is_open(shard->link->client);
}

/* One that is away with its node, before one that is on its way, which its node knows nothing of.
 */
static const struct shard *find_away(const struct store *store)
{
    const struct shard *moving = NULL;
    for (unsigned i = 0; i < store->shard_count; i++) {
        const struct shard *shard = &store->shards[i];
        if (store_link_accepts(shard))
            continue;
        if (!is_on_its_way(shard))
            return shard;
        moving = moving != NULL ? moving : shard;
    }
    return moving;
}

static void describe_away(struct store *store, struct store_health *out)
{
    const struct shard *shard = find_away(store);
    assert(shard != NULL);
    char trouble[SHARD_MAP_REASON_BYTES];
    shard_map_reason(store->cluster->map, trouble);
    const char *reason = is_on_its_way(shard)    ? refusal_of("TRYAGAIN")->sentence
                         : shard->link != NULL   ? shard->link->health.reason
                         : trouble[0] != '\0'    ? trouble
                         : out->shards_ready > 0 ? "no node of the cluster has their slots"
                                                 : "no node of the cluster has answered yet";
    unsigned away = out->shard_count - out->shards_ready, all = out->shard_count;
    if (shard->link == NULL) {
        (void)snprintf(out->reason, sizeof out->reason, "%u of %u shards are away: %.300s", away,
                       all, reason);
        return;
    }
    char node[HOST_PORT_BYTES];
    host_port_write(shard->link->options.node.host, shard->link->options.node.port, node);
    (void)snprintf(out->reason, sizeof out->reason, "%u of %u shards are away, of %.100s: %.300s",
                   away, all, node, reason);
}

static void add_link(struct store_health *sum, const struct store_health *one)
{
    sum->has_fallen |= one->has_fallen;
    if (one->is_ready && (!sum->is_ready || durability_satisfies(sum->durability, one->durability)))
        sum->durability = one->durability;
    sum->is_ready |= one->is_ready;
    if (sum->reason[0] == '\0')
        memcpy(sum->reason, one->reason, sizeof sum->reason);
    bool is_worse = llabs(one->clock_ahead_ms) >= llabs(sum->clock_ahead_ms);
    if (one->is_clock_known && (!sum->is_clock_known || is_worse)) {
        sum->is_clock_known = true;
        sum->clock_ahead_ms = one->clock_ahead_ms;
    }
}

/* At the start the nodes come one after the other: who said that it is ready when the first one is
 * there would refuse most of what comes then. One that is away for longer keeps nobody waiting. */
enum { START_PATIENCE_MS = 3000 };

static bool is_starting(struct store_cluster *cluster, const struct store_health *sum,
                        int64_t now_ms)
{
    if (sum->shards_ready == sum->shard_count)
        cluster->was_whole = true;
    if (cluster->was_whole || !sum->is_ready)
        return false;
    if (cluster->alone_since_ms == 0)
        cluster->alone_since_ms = now_ms;
    return now_ms < cluster->alone_since_ms + START_PATIENCE_MS;
}

/* A node that had no shard of the others has nothing against another number of them, and would take
 * events that nobody else finds there: where one node refuses that, none is used. */
static const struct store_link *find_foreign(const struct store *store)
{
    const struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    {
        if (link->inspection.own_count > 0 && link->health.is_foreign)
            return link;
    }
    return NULL;
}

static void take_over_foreign(struct store_health *sum, const struct store_health *foreign)
{
    assert(foreign->is_foreign && !foreign->is_ready);
    sum->is_foreign = true;
    sum->shards_ready = 0;
    memcpy(sum->reason, foreign->reason, sizeof sum->reason);
}

static void sum_up(struct store *store, int64_t now_ms)
{
    struct store_health sum = {.shard_count = store->shard_count};
    const struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    {
        if (link->inspection.own_count > 0)
            add_link(&sum, &link->health);
    }
    for (unsigned i = 0; i < store->shard_count; i++)
        sum.shards_ready += store_link_accepts(&store->shards[i]);
    sum.is_refusing = sum.is_ready && sum.shards_ready == 0;
    if (sum.shards_ready < sum.shard_count)
        describe_away(store, &sum);
    const struct store_link *foreign = find_foreign(store);
    if (foreign != NULL)
        take_over_foreign(&sum, &foreign->health);
    store->cluster->is_held = foreign != NULL || is_starting(store->cluster, &sum, now_ms);
    if (store->cluster->is_held)
        sum.is_ready = sum.is_refusing = false;
    assert(sum.shards_ready <= sum.shard_count);
    store->cluster->health = sum;
}

/* --- life ---------------------------------------------------------------------------- */

bool store_cluster_create(struct store *store, const struct store_link_options *link_options,
                          struct error *error)
{
    const struct store_options *options = &store->options;
    store->cluster = calloc(1, sizeof *store->cluster);
    if (store->cluster == NULL)
        return error_out_of_memory(error);
    store->cluster->map = options->map;
    store->cluster->link_options = *link_options;
    cluster_scout_init(&store->cluster->scout,
                       &(struct cluster_scout_options){.locate = options->locate,
                                                       .context = options->context,
                                                       .tls = options->tls,
                                                       .map = options->map},
                       store->loop);
    store->cluster->follower.loop = store->loop;
    shard_map_follow(options->map, &store->cluster->follower);
    sum_up(store, 0);
    return true;
}

void store_cluster_destroy(struct store *store)
{
    if (store->cluster == NULL)
        return;
    assert(TAILQ_EMPTY(&store->links) && store->cluster->moving == 0);
    shard_map_leave(store->cluster->map, &store->cluster->follower);
    cluster_scout_fini(&store->cluster->scout);
    free(store->cluster);
    store->cluster = NULL;
}

int64_t store_cluster_timeout_ms(const struct store *store, int64_t now_ms)
{
    const struct store_cluster *cluster = store->cluster;
    int64_t scout_ms = cluster_scout_timeout_ms(&cluster->scout, now_ms);
    if (shard_map_version(cluster->map) == cluster->version)
        return scout_ms;
    return cluster->follow_at_ms <= now_ms
               ? 0
               : clock_sooner_ms(scout_ms, cluster->follow_at_ms - now_ms);
}

static void try_to_follow(struct store *store, int64_t now_ms)
{
    struct store_cluster *cluster = store->cluster;
    if (shard_map_version(cluster->map) == cluster->version || now_ms < cluster->follow_at_ms)
        return;
    bool was_short = cluster->is_short;
    cluster->is_short = !follow(store);
    if (!cluster->is_short)
        return;
    cluster->follow_at_ms = now_ms + FOLLOW_AGAIN_MS;
    if (!was_short)
        log_warn("cluster_not_followed",
                 "There is no memory for a connection to a node of the cluster; the service tries "
                 "again",
                 LOG_TEXT("role", store->options.role));
}

void store_cluster_turn(struct store *store, int64_t now_ms)
{
    struct store_cluster *cluster = store->cluster;
    want_if_away(store);
    cluster_scout_turn(&cluster->scout, now_ms);
    try_to_follow(store, now_ms);
    sum_up(store, now_ms);
    end_link(store);
}

/* --- what is known ---------------------------------------------------------------------- */

bool store_node(const struct store *store, size_t index, struct store_node *out)
{
    const struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    {
        if (store->cluster == NULL || link->inspection.own_count == 0 || index-- > 0)
            continue;
        *out = (struct store_node){.shards = (unsigned)link->inspection.own_count,
                                   .health = link->health};
        host_port_write(link->options.node.host, link->options.node.port, out->address);
        return true;
    }
    return false;
}

/* --- for calls ----------------------------------------------------------------------- */

void store_note_refusal(struct store *store, const struct refusal *refusal)
{
    if (store->cluster != NULL && refusal->is_of_cluster)
        shard_map_want(store->cluster->map);
}

/* A node that leaves the host out means its own. Where the shard leads by now, is no matter: the
 * map may have changed since the call was sent. */
/* NOLINTNEXTLINE(readability-function-size) */
struct store_link *store_find_moved(struct store *store, struct shard *shard,
                                    const struct store_link *from, const char *answer,
                                    struct durability told)
{
    struct redis_address address;
    if (store->cluster == NULL || store->cluster->is_closing ||
        !shard_map_read_moved(answer, from->options.node.host, &address))
        return NULL;
    shard_map_want(store->cluster->map);
    struct store_link *link = find_link(store, &address);
    if (link == NULL || !link->health.is_ready)
        return NULL;
    shard->link = link; /* until the map says it */
    if (!durability_satisfies(link->health.durability, told))
        return NULL;
    store->cluster->moving++;
    return link;
}

bool store_take_moved(struct store *store)
{
    assert(store->cluster != NULL && store->cluster->moving > 0);
    store->cluster->moving--;
    return !store->cluster->is_closing;
}
