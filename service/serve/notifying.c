/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/serve/notifying.h"

#include <assert.h>

struct receiver_options notifying_receiver_options(const struct config *config)
{
    assert(config->notify_url != NULL && config->notify_secret != NULL);
    return (struct receiver_options){.url = config->notify_url,
                                     .proxy = config->notify_proxy,
                                     .secret = config->notify_secret,
                                     .ca_file = config->ca_file,
                                     .user_agent = config->user_agent,
                                     .timeout_ms = config->request_timeout_ms,
                                     .pause_base_ms = config->retry_base_ms,
                                     .pause_max_ms = config->retry_max_ms};
}

bool notifying_create(const struct notifying *parts, struct notifier **out, struct error *error)
{
    const struct config *config = parts->config;
    if (config->notify_url == NULL)
        return true;
    const struct notifier_options options = {
        .receiver = notifying_receiver_options(config),
        .store = redis_location_store_options(parts->location, config,
                                              (struct durability){.level = DURABILITY_ANY}),
        .source = config->redis_prefix,
        .gate = parts->gate,
        .access_token = parts->access_token,
        .workers = parts->workers,
    };
    *out = notifier_create(&options, error);
    return *out != NULL;
}
