/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A call of the store that is made of several script calls, for shards of their own, which go out
 * together: when the last one has ended, what they brought becomes one answer.
 *
 * Owns:    its parts, with their replies, until the caller was told; its state.
 * Threads: one at a time, the store's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

#include "service/store/call_failure.h"
#include "service/store/script_call.h"

struct fan {
    struct store *store;             /* borrowed */
    void (*finish)(struct fan *fan); /* all parts have ended: tells the caller */
    union script_call_done done;     /* of `finish` */
    void *context;                   /* of `done` */
    void *state;                     /* owned; what `finish` puts together */
    struct store_failure failure;    /* the first; STORE_OK: none so far */
    size_t open;                     /* parts, and what else is waited for */
    size_t count, count_max;
    struct script_call *parts[]; /* owned */
};

/* `state_bytes` of zeroes in `state`. NULL: ERROR_MEMORY. */
MUST_CHECK struct fan *fan_create(struct store *store, size_t parts_max, size_t state_bytes,
                                  void (*finish)(struct fan *fan), struct error *error);
void fan_destroy(struct fan *fan); /* accepts NULL; one that has sent nothing */
DEFINE_AUTO(fan);

/* Sends a part; false: it failed, as is noted in `failure`. */
bool fan_send(struct fan *fan, struct script_call *take_call, struct error *error);
/* A part for each shard, made by `make`. False: none was sent. One that could not be sent is noted,
 * and the others go on. */
MUST_CHECK bool fan_send_all(struct fan *fan,
                             struct script_call *(*make)(struct store *store, struct shard *shard,
                                                         const void *asked, struct error *error),
                             const void *asked, struct error *error);
/* A part could not be made. */
void fan_note_unsent(struct fan *fan, const struct error *error);
/* What was waited for has ended. The last one finishes the fan, which is gone then. */
void fan_note_end(struct fan *fan, const struct store_failure *failure);

/* A piece of what is to be said to one shard, by the places of its items. */
struct fan_piece {
    struct shard *shard;
    const size_t *places; /* of the caller's array, in their order */
    size_t count;
};
/* Sorts items by their shards, those of a shard in the order in which they came. `places`: room for
 * `count`; `pieces`: for as many as there are shards. Gives the number of pieces. */
size_t fan_sort(struct store *store, const char *(*id_of)(const void *items, size_t place),
                const void *items, size_t count, size_t places[], struct fan_piece pieces[]);

/* Items of many shards, of which each shard gets its own. */
struct fan_items {
    const void *items;
    size_t count;
    const char *(*id_of)(const void *items, size_t place);
    struct script_call *(*make)(struct store *store, struct shard *shard, const void *items,
                                const size_t *places, size_t count, struct error *error);
};
/* A part for each of these shards. `places` as above; the items of part i stand in it from
 * `firsts[i]` on. False: none was sent. One that could not be sent is noted, and the others go on.
 */
MUST_CHECK bool fan_send_items(struct fan *fan, const struct fan_items *items, size_t places[],
                               size_t firsts[], struct error *error);
