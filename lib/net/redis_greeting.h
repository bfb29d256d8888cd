/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What is said first on a new connection: AUTH, SELECT and CLIENT SETNAME, as far as the URL asks
 * for them, and what the answers mean.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

#include "lib/net/redis_client.h"

enum { REDIS_GREETINGS_MAX = 3 };

struct redis_greeting {
    size_t argument_count;
    const char *arguments[3]; /* borrowed from the URL */
    const char *refused;      /* what an error in answer to it means; NULL: nothing */
};

/* Gives their number, at least one: an answer proves that the peer is there. `database_text` must
 * live as long as the greetings. */
size_t redis_greetings(const struct redis_url *url, char database_text[11],
                       struct redis_greeting out[REDIS_GREETINGS_MAX]);
/* Why Redis does not want us, NULL when it does. Never has anything of Redis's text: a server that
 * does not know AUTH repeats its arguments there. */
const char *redis_greeting_refusal(const struct redis_greeting *greeting,
                                   const struct redis_reply *reply);
