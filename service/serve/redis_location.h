/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where Redis is: REDIS_URL, read afresh for every connection so that a rotated password is seen,
 * or the embedded one; and what the settings say of it.
 *
 * Owns: the map of a cluster. Threads: any; init and fini by one. Blocks: as secret_read does.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/secret.h"
#include "lib/net/redis_client.h"

#include "service/config/config.h"
#include "service/private_redis/embedded_redis.h"
#include "service/store/due_table.h"
#include "service/store/shard_map.h"
#include "service/store/store.h"

struct redis_location {
    struct secret *url; /* one of the two; borrowed: outlive it */
    const struct embedded_redis *embedded;
    unsigned shard_count;
    struct due_table due;  /* of all stores of this process, as the next */
    struct shard_map *map; /* owned; of a cluster; NULL: it is none */
};

/* `embedded` is set by whoever starts one. False: ERROR_MEMORY. */
MUST_CHECK bool redis_location_init(struct redis_location *location, const struct config *config,
                                    struct error *error);
void redis_location_fini(struct redis_location *location); /* after all stores */

/* `context` is a struct redis_location: the `locate` of store_options. */
bool redis_location_find(void *context, struct redis_url *out, struct error *error);

struct tls_files redis_location_tls(const struct config *config);

/* For a store that is to give `demand`; `location` outlives it. */
struct store_options redis_location_store_options(struct redis_location *location,
                                                  const struct config *config,
                                                  struct durability demand);
