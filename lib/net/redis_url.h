/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The address of Redis, and the user for it.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/host.h"

enum { REDIS_SENTINELS_MAX = 8, REDIS_SEEDS_MAX = 8, REDIS_PASSWORD_BYTES = 8192 };
enum { REDIS_PEER_BYTES = HOST_PORT_BYTES };

struct redis_address {
    char host[256];
    uint16_t port;
};

struct redis_url {
    enum redis_scheme { REDIS_TCP, REDIS_TLS, REDIS_UNIX } scheme;
    char host[256]; /* path for REDIS_UNIX; "" while only sentinels or seeds are known */
    uint16_t port;
    unsigned database;
    char user[128];                      /* "" = default user */
    char password[REDIS_PASSWORD_BYTES]; /* "" = no AUTH; a token of a cloud may be long */
    struct redis_sentinels {
        size_t count; /* 0: host and port are known */
        struct redis_address addresses[REDIS_SENTINELS_MAX];
        char master[128];                    /* as the sentinels name it */
        char password[REDIS_PASSWORD_BYTES]; /* of the sentinels themselves; "" = no AUTH */
    } sentinels;
    struct redis_seeds {
        size_t count; /* 0: this is no cluster */
        struct redis_address addresses[REDIS_SEEDS_MAX];
    } seeds; /* nodes of a cluster, of which one has to be there: who asks it knows all */
};

/* `redis://[user[:password]@]host[:port][/db]`, `rediss://…`,
 * `unix://[user:password@]/path[?db=N]`,
 * `redis+sentinel://[user:password@]host[:port],…/master[/db][?sentinelPassword=…]`,
 * `rediss+sentinel://…`: sentinels and master over TLS;
 * `redis+cluster://[user:password@]host[:port],…`, `rediss+cluster://…`; `valkey…` in the place of
 * `redis…`. What may hold any byte is percent-decoded. ERROR_CONFIG with what is wrong, without
 * credentials. */
MUST_CHECK bool redis_url_parse(const char *text, struct redis_url *out, struct error *error);
/* The same without users, passwords and `valkey`, for people; cut to `size`. */
void redis_url_write_place(const struct redis_url *url, char out[], size_t size);
/* The one server that it names: host and port, or the path. */
void redis_url_write_peer(const struct redis_url *url, char out[REDIS_PEER_BYTES]);
