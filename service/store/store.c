/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/clock.h"

#include "service/store/store_cluster.h"
#include "service/store/store_internal.h"

static bool create_shards(struct store *store, struct error *error)
{
    const struct store_options *options = &store->options;
    const char *prefix = options->prefix != NULL ? options->prefix : SHARD_PREFIX_DEFAULT;
    store->shard_count = options->shard_count > 0 ? options->shard_count : 1;
    assert(store->shard_count <= SHARD_COUNT_MAX);
    store->shards = calloc(store->shard_count, sizeof *store->shards);
    if (store->shards == NULL)
        return error_out_of_memory(error);
    for (unsigned i = 0; i < store->shard_count; i++)
        shard_init(&store->shards[i], prefix, i);
    return true;
}

static bool create_due(struct store *store, struct error *error)
{
    store->due = store->shard_count > 1 ? store->options.due : NULL;
    if (store->shard_count == 1 || store->due != NULL)
        return true;
    store->own_due = calloc(1, sizeof *store->own_due);
    if (store->own_due == NULL)
        return error_out_of_memory(error);
    due_table_init(store->own_due, store->shard_count);
    store->due = store->own_due;
    return true;
}

static struct store_link_options make_link_options(const struct store *store)
{
    const struct store_options *options = &store->options;
    return (struct store_link_options){
        .locate = options->locate,
        .context = options->context,
        .tls = options->tls,
        .role = options->role,
        .environment = options->environment,
        .shards = store->shards,
        .shard_count = store->shard_count,
        .map = options->map,
        .demand = options->demand,
        .metrics = options->metrics,
        .is_quiet = options->is_quiet,
        .is_visitor = options->is_visitor,
    };
}

static bool create_link(struct store *store, const struct store_link_options *link_options,
                        struct error *error)
{
    struct store_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return error_out_of_memory(error);
    TAILQ_INSERT_TAIL(&store->links, link, links);
    unsigned numbers[SHARD_COUNT_MAX];
    for (unsigned i = 0; i < store->shard_count; i++) {
        store->shards[i].link = link;
        numbers[i] = i;
    }
    if (!store_link_init(link, link_options, store->loop, error))
        return false;
    store_link_set_shards(link, numbers, store->shard_count);
    return true;
}

static bool create_links(struct store *store, struct error *error)
{
    const struct store_link_options link_options = make_link_options(store);
    return store->options.map != NULL ? store_cluster_create(store, &link_options, error)
                                      : create_link(store, &link_options, error);
}

struct store *store_create(const struct store_options *options, struct event_loop *loop,
                           struct error *error)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        (void)error_out_of_memory(error);
        return NULL;
    }
    store->options = *options;
    store->loop = loop;
    TAILQ_INIT(&store->links);
    if (create_shards(store, error) && create_due(store, error) && create_links(store, error))
        return store;
    store_destroy(store);
    return NULL;
}

void store_destroy(struct store *store)
{
    if (store == NULL)
        return;
    if (store->cluster != NULL)
        store->cluster->is_closing = true;
    struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    store_link_fini(link);
    while ((link = TAILQ_FIRST(&store->links)) != NULL) {
        TAILQ_REMOVE(&store->links, link, links);
        free(link);
    }
    store_cluster_destroy(store);
    free(store->own_due);
    free(store->shards);
    free(store);
}

int64_t store_timeout_ms(const struct store *store, int64_t now_ms)
{
    int64_t timeout_ms =
        store->cluster != NULL ? store_cluster_timeout_ms(store, now_ms) : INT64_C(-1);
    const struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    timeout_ms = clock_sooner_ms(timeout_ms, store_link_timeout_ms(link, now_ms));
    return timeout_ms;
}

void store_turn(struct store *store, int64_t now_ms)
{
    struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    store_link_turn(link, now_ms);
    if (store->cluster != NULL)
        store_cluster_turn(store, now_ms);
}

void store_flush(struct store *store)
{
    struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    store_link_flush(link);
}

void store_health(const struct store *store, struct store_health *out)
{
    if (store->cluster != NULL) {
        *out = store->cluster->health;
        return;
    }
    *out = TAILQ_FIRST(&store->links)->health;
    out->shard_count = store->shard_count;
    out->shards_ready = out->is_ready && !out->is_refusing ? store->shard_count : 0;
}

const char *store_peer(const struct store *store)
{
    return store->cluster != NULL ? "" : redis_client_peer(TAILQ_FIRST(&store->links)->client);
}

bool store_has_connected(const struct store *store)
{
    const struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    {
        if (link->has_connected)
            return true;
    }
    return false;
}

unsigned store_shard_count(const struct store *store)
{
    return store->shard_count;
}

static bool is_held(const struct store *store)
{
    return store->cluster != NULL && store->cluster->is_held;
}

bool store_takes_events_for(const struct store *store, unsigned shard, struct durability *out)
{
    assert(shard < store->shard_count);
    const struct store_link *link = store->shards[shard].link;
    if (link == NULL)
        return false;
    if (out != NULL)
        *out = link->health.durability;
    return store_link_accepts(&store->shards[shard]) && !is_held(store);
}

bool store_leads_to(const struct store *store, const char *application_id)
{
    unsigned shard = shard_of(application_id, store->shard_count);
    return store_is_shard_ready(store, &store->shards[shard], NULL);
}

/* --- for its calls --- */

struct shard *store_shard_of(struct store *store, const char *application_id)
{
    return &store->shards[shard_of(application_id, store->shard_count)];
}

bool store_is_shard_ready(const struct store *store, const struct shard *shard, struct error *error)
{
    assert(shard >= store->shards && shard < store->shards + store->shard_count);
    if (store_link_leads(shard) && !is_held(store))
        return true;
    if (error == NULL)
        return false;
    struct store_health health;
    store_health(store, &health);
    return error_set(error, ERROR_IO, "%s", health.reason);
}

bool store_are_all_ready(const struct store *store, struct error *error)
{
    for (unsigned i = 0; i < store->shard_count; i++)
        if (!store_is_shard_ready(store, &store->shards[i], error))
            return false;
    return true;
}

void store_note_due(struct store *store, const struct shard *shard, int64_t at_ms)
{
    if (store->due != NULL)
        due_table_lower(store->due, shard->number, at_ms);
}

size_t store_calls_open(const struct store *store)
{
    size_t count = 0;
    const struct store_link *link;
    TAILQ_FOREACH(link, &store->links, links)
    count += link->calls_open;
    return count;
}
