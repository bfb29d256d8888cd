/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/move_end.h"

#include <stdio.h>
#include <string.h>

#include "lib/net/redis_url.h"

#include "service/store/shard.h"
#include "service/store/store.h"

void move_end_hide(char *argument)
{
    if (argument != NULL)
        memset(argument, '*', strlen(argument));
}

bool move_end_read_url(struct move_end *end, char *url, const char *file, struct error *error)
{
    if ((url == NULL) == (file == NULL))
        return error_set(error, ERROR_CONFIG, "give %s URL, or %s-file FILE", end->name, end->name);
    end->url = url != NULL ? secret_from_value(url, error) : secret_from_file(file, error);
    move_end_hide(url);
    if (end->url == NULL)
        return error_wrap(error, "%s", end->name);
    struct redis_url parsed;
    end->location = (struct redis_location){.url = end->url};
    bool is_fine = redis_location_find(&end->location, &parsed, error);
    if (is_fine)
        redis_url_write_place(&parsed, end->where, sizeof end->where);
    explicit_bzero(&parsed, sizeof parsed);
    return is_fine || error_wrap(error, "%s", end->name);
}

bool move_end_read(struct move_end *end, char *prefix, int64_t shards, struct error *error)
{
    const char *mistake = prefix != NULL ? shard_prefix_mistake(prefix) : NULL;
    if (mistake != NULL)
        return error_set(error, ERROR_CONFIG, "%s-prefix: %s", end->name, mistake);
    if (shards > SHARD_COUNT_MAX)
        return error_set(error, ERROR_CONFIG, "%s-shards: at most %d", end->name, SHARD_COUNT_MAX);
    end->config.redis_url = end->url;
    end->config.redis_prefix = prefix != NULL ? prefix : end->config.redis_prefix;
    size_t length = strlen(end->where);
    if (strcmp(end->config.redis_prefix, SHARD_PREFIX_DEFAULT) != 0)
        (void)snprintf(end->where + length, sizeof end->where - length, ", prefix %s",
                       end->config.redis_prefix);
    end->config.redis_shards = (uint32_t)shards;
    return redis_location_init(&end->location, &end->config, error);
}

bool move_end_open(struct move_end *end, struct event_loop *loop, bool is_source,
                   struct error *error)
{
    struct store_options options =
        redis_location_store_options(&end->location, &end->config, end->config.durability);
    if (is_source) /* what it gives is what there is */
        options.demand = (struct durability){.level = DURABILITY_ANY};
    options.is_visitor = is_source;
    options.role = is_source ? "move-from" : "move-to";
    options.is_quiet = true;
    end->store = store_create(&options, loop, error);
    return end->store != NULL || error_wrap(error, "%s", end->name);
}

void move_end_close(struct move_end *end)
{
    store_destroy(end->store);
    redis_location_fini(&end->location);
    secret_destroy(end->url);
    *end = (struct move_end){.name = end->name};
}
