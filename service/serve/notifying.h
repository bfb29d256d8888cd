/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The notifier, as the settings want it.
 *
 * Owns: nothing. Threads: main. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

#include "service/config/config.h"
#include "service/notification/notifier.h"
#include "service/serve/redis_location.h"

struct notifying { /* borrowed: outlives the notifier */
    const struct config *config;
    struct redis_location *location;
    struct sending_gate *gate;
    struct access_token *access_token;
    struct worker_pool *workers;
};

/* With NOTIFY_URL. Borrows from `config`. */
struct receiver_options notifying_receiver_options(const struct config *config);
/* `out` stays NULL without NOTIFY_URL. */
MUST_CHECK bool notifying_create(const struct notifying *parts, struct notifier **out,
                                 struct error *error);
