/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What is said first on a new connection: AUTH, SELECT and CLIENT SETNAME, as far as the URL asks
 * for them, and what the answers mean.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"
#include "lib/net/redis_pipeline.h"

enum { REDIS_GREETINGS_MAX = 3 };

struct redis_greeting {
    size_t argument_count;
    const char *arguments[3]; /* borrowed from the URL */
    const char *refused;      /* what an error in answer to it means; NULL: nothing */
};

struct redis_greetings {
    struct redis_greeting items[REDIS_GREETINGS_MAX];
    char database_text[11];
    size_t count; /* at least one: an answer proves that the peer is there */
    size_t answered;
};

/* Sends them all; `done` is called for each. Both `greetings` and `url` live until then. */
MUST_CHECK bool redis_greetings_send(struct redis_greetings *greetings, const struct redis_url *url,
                                     struct redis_pipeline *pipeline, redis_done done,
                                     void *context, struct error *error);
/* Takes the answer to the next one: why Redis does not want us, NULL when it does. Never has
 * anything of Redis's text: a server that does not know AUTH repeats its arguments there. */
const char *redis_greetings_refusal(struct redis_greetings *greetings,
                                    const struct redis_reply *reply);
/* Follows the reason if the connection breaks now; "" if there is nothing to add. */
const char *redis_greetings_hint(const struct redis_greetings *greetings,
                                 const struct redis_url *url);
/* Redis has said yes to all. */
bool redis_greetings_are_done(const struct redis_greetings *greetings);
