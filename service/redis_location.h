/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where Redis is: REDIS_URL, read afresh for every connection so that a rotated password is seen,
 * or the embedded one; and what the settings say of it.
 *
 * Owns: nothing. Threads: any. Blocks: as secret_read does.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/secret.h"
#include "lib/net/redis_client.h"

#include "service/config.h"
#include "service/store/embedded_redis.h"
#include "service/store/store.h"

struct redis_location { /* one of the two; borrowed: outlive it */
    struct secret *url;
    const struct embedded_redis *embedded;
};

/* `context` is a struct redis_location: the `locate` of store_options. */
bool redis_location_find(void *context, struct redis_url *out, struct error *error);

/* For a store that is to give `demand`; `location` outlives it. */
struct store_options redis_location_store_options(struct redis_location *location,
                                                  const struct config *config,
                                                  struct durability demand);
