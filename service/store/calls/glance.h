/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whether anything is new in some of many shards, by plain commands, which cost a tenth of scripts.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

struct store;

enum { GLANCE_SHARDS_MAX = 4 };

struct store_glance {
    unsigned shard;
    bool is_known;           /* else its node is away */
    bool is_anything_due;    /* now or later */
    int64_t last_died_at_ms; /* of the latest death that is still there; 0: none is */
};
typedef void (*store_glance_done)(void *context, const struct store_glance *glances, size_t count);
/* At `count` shards from this one on, by turns. */
MUST_CHECK bool store_glance(struct store *store, unsigned first, size_t count,
                             store_glance_done done, void *context, struct error *error);
