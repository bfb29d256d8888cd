/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/redis_location.h"

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

struct store_options redis_location_store_options(struct redis_location *location,
                                                  const struct config *config,
                                                  struct durability demand)
{
    return (struct store_options){
        .locate = redis_location_find,
        .context = location,
        .ca_file = config->redis_ca_file,
        .demand = demand,
        .ttl_ms = (int64_t)config->token_ttl_s * 1000,
        /* Longer than the whole budget of an attempt, and as much again for the way to its start.
         */
        .lease_ms = 2 * (int64_t)config->request_timeout_ms + LEASE_MARGIN_MS,
        .age_max_ms = (int64_t)config->retry_max_age_s * 1000,
    };
}
