/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/redis_location.h"

#include <string.h>

enum { LEASE_MARGIN_MS = 5000 };

bool redis_location_find(void *context, struct redis_url *out, struct error *error)
{
    const struct redis_location *location = context;
    if (location->url == NULL)
        return embedded_redis_url(location->embedded, out, error);
    struct buffer text;
    buffer_init(&text, SECRET_BYTES_MAX);
    bool is_found =
        secret_read(location->url, &text, error) && redis_url_parse(text.bytes, out, error);
    buffer_wipe(&text);
    buffer_fini(&text);
    return is_found;
}

enum { CLUSTER_SHARDS = 64 }; /* evenly spread over three or four nodes */

/* What the URL says now: a file that cannot be read is told of by whoever connects. */
static bool is_of_cluster(struct redis_location *location)
{
    struct redis_url url;
    struct error error;
    bool is_cluster =
        location->url != NULL && redis_location_find(location, &url, &error) && url.seeds.count > 0;
    explicit_bzero(&url, sizeof url);
    return is_cluster;
}

bool redis_location_init(struct redis_location *location, const struct config *config,
                         struct error *error)
{
    *location = (struct redis_location){.url = config->redis_url};
    bool is_cluster = is_of_cluster(location);
    location->shard_count = config->redis_shards > 0 ? config->redis_shards
                            : is_cluster             ? CLUSTER_SHARDS
                                                     : 1;
    due_table_init(&location->due, location->shard_count);
    if (!is_cluster)
        return true;
    location->map = shard_map_create(config->redis_prefix, location->shard_count, error);
    return location->map != NULL;
}

void redis_location_fini(struct redis_location *location)
{
    shard_map_destroy(location->map);
    location->map = NULL;
}

struct tls_files redis_location_tls(const struct config *config)
{
    return (struct tls_files){.ca = config->redis_ca_file,
                              .certificate = config->redis_cert_file,
                              .key = config->redis_key_file};
}

struct store_options redis_location_store_options(struct redis_location *location,
                                                  const struct config *config,
                                                  struct durability demand)
{
    return (struct store_options){
        .locate = redis_location_find,
        .context = location,
        .prefix = config->redis_prefix,
        .shard_count = location->shard_count,
        .due = &location->due,
        .map = location->map,
        .environment = config->environment,
        .tls = redis_location_tls(config),
        .demand = demand,
        .ttl_ms = (int64_t)config->token_ttl_s * 1000,
        /* Longer than the whole budget of an attempt, and as much again for the way to its start.
         */
        .lease_ms = 2 * (int64_t)config->request_timeout_ms + LEASE_MARGIN_MS,
        .age_max_ms = (int64_t)config->retry_max_age_s * 1000,
    };
}
