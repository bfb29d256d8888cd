/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A shard of the queue: the keys that its applications lie under, the link to the Redis that has
 * it, and the state of the claims that a store makes on it. Its number is a hash tag, so that its
 * keys share a slot of a Redis Cluster. README.md says what lies under each key.
 *
 * Owns: nothing. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/uuid.h"

enum shard_key {
    SHARD_APPLICATION, /* and the application's id behind it */
    SHARD_DUE,
    SHARD_DEAD,
    SHARD_PAUSED,
    SHARD_SCRIPT_KEYS,              /* those before are the KEYS of all scripts, in this order */
    SHARD_MARK = SHARD_SCRIPT_KEYS, /* behind what replicas or the disk are waited for: see
                                      confirmation.c */
    SHARD_CLAIM,                    /* and the claimer's name behind it */
    SHARD_LAYOUT,                   /* the number of the layout, see layout.lua */
    SHARD_SHARDS,                   /* how many shards there are */
    SHARD_ENVIRONMENT,              /* of SEEK, that the applications belong to */
    SHARD_NOTIFY,                   /* how far the receiver of notifications has been told */
    SHARD_HISTORY,                  /* counts of the last day, of the first shard alone */
    SHARD_MOVE,                     /* where this is moved to, or from: see move_out.lua */
    SHARD_TRIAL,                    /* what is only for trying begins so */
    SHARD_TRIAL_KEYS,               /* the KEYS of scripts that are tried: four */
    SHARD_TRIAL_APPLICATION = SHARD_TRIAL_KEYS + SHARD_SCRIPT_KEYS,
    SHARD_TRIAL_CLAIM,
    SHARD_KEY_COUNT
};

enum {
    SHARD_COUNT_MAX = 256,
    SHARD_PREFIX_MAX = 64, /* characters */
    SHARD_KEY_BYTES = SHARD_PREFIX_MAX + 32,
    SHARD_ACCEPTS_MAX = 4,
    SHARD_CLAIM_BYTES = SHARD_KEY_BYTES + UUID_BYTES + 2,
};

/* Of the application that scripts are tried with. */
#define SHARD_TRIAL_ID "trial"

struct store_link;

struct shard {
    unsigned number;
    struct store_link *link; /* borrowed: the store's that leads to it; NULL: nobody knows where it
                                lies */
    char keys[SHARD_KEY_COUNT][SHARD_KEY_BYTES];
    bool is_known;  /* its layout has been looked at by this store: before, it gets no call */
    bool is_moving; /* it was refused last, a call or a look, since it is on its way */
    const char *old_count_key; /* of versions before the layout had a number, which knew one prefix;
                                  "": there were none under this one */
    struct shard_claims {
        char key[SHARD_CLAIM_BYTES]; /* remembers the last one */
        int64_t number, answered;    /* of the last one, and of the last answer */
        bool is_open;
        bool is_held;                     /* see store_hold_claims */
    } claims, accepts[SHARD_ACCEPTS_MAX]; /* what accept leases: so many calls at a time */
};

/* Of `count`, the number of the shard that an application lies in. */
unsigned shard_of(const char *application_id, unsigned count);

/* With a claimer's name of its own, and no link. The prefix is one that shard_prefix_mistake has
 * nothing against.
 */
void shard_init(struct shard *shard, const char *prefix, unsigned number);

/* Of all keys, unless another one is set. */
#define SHARD_PREFIX_DEFAULT "seek-signal"
/* A sentence part with the remedy; NULL: it can be the prefix of all keys. */
const char *shard_prefix_mistake(const char *prefix);

/* What this version writes and reads. */
#define SHARD_LAYOUT_NUMBER "2"
/* Where versions before the layout had a number kept the count, without a hash tag. */
#define SHARD_OLD_COUNT_KEY "seek-signal:shards"
