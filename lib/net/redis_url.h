/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where Redis is, and who we are there.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum { REDIS_SENTINELS_MAX = 8 };

struct redis_url {
    enum { REDIS_TCP, REDIS_TLS, REDIS_UNIX } scheme;
    char host[256]; /* path for REDIS_UNIX; "" while only the sentinels are known */
    uint16_t port;
    unsigned database;
    char user[128];     /* "" = default user */
    char password[512]; /* "" = no AUTH */
    struct redis_sentinels {
        size_t count; /* 0: host and port are known */
        struct redis_address {
            char host[256];
            uint16_t port;
        } addresses[REDIS_SENTINELS_MAX];
        char master[128];   /* as the sentinels name it */
        char password[512]; /* of the sentinels themselves; "" = no AUTH */
    } sentinels;
};

/* `redis://[user[:password]@]host[:port][/db]`, `rediss://…`,
 * `unix://[user:password@]/path[?db=N]`,
 * `redis+sentinel://[user:password@]host[:port],…/master[/db][?sentinelPassword=…]`; what may hold
 * any byte is percent-decoded. ERROR_CONFIG with what is wrong, without credentials. */
MUST_CHECK bool redis_url_parse(const char *text, struct redis_url *out, struct error *error);
/* "redis://host:6379/0", cut if need be: for logs; never the credentials. */
void redis_url_describe(const struct redis_url *url, char text[320]);
