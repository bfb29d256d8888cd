/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The two halves of `seek-signal move`, a shard at a time: what lies in one Redis is held and shown
 * in batches, taken by another one, and let go. docs/decisions/move.md has the protocol.
 *
 * Owns:    nothing: texts passed in are copied, those passed to `done` are borrowed for that call.
 * Threads: one, the store's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

enum move_kind { MOVE_OWED, MOVE_DEAD, MOVE_KEPT, MOVE_KIND_COUNT };

struct move_item {
    const char *id;
    enum move_kind kind;
    const char *at;    /* when it was due or died; "": neither */
    const char *bytes; /* of what it holds, with zeroes in it */
    size_t length;
};

/* --- the source --- */

enum move_outcome {
    MOVE_FINE,
    MOVE_NOTHING_HERE, /* of this version */
    MOVE_SAME,         /* it is the target itself */
    MOVE_BUSY,         /* source: a batch for another target is held; target: it is a source */
    MOVE_FOREIGN_KEYS, /* applications' keys hold something else: `what`, an id a line */
    MOVE_OVERTAKEN,    /* the target has had a batch from there whose number is not lower: `what` */
};

/* MOVE_GIVE_UP: `deleted` are those that were held, `name` whom it was moved to ("": to nobody),
 * `paused_since` whether it is paused afterwards; `target` does not count. */
enum { MOVE_ONLY_LOOK = -1, MOVE_GIVE_UP = -2 };

struct move_out_query { /* of the texts NULL is as good as "" */
    unsigned shard;
    const char *proposal; /* an id for this Redis, should it have none */
    const char *target;   /* its id */
    const char *done;     /* name of the batch that the target has; "": none */
    const char *floor;    /* what MOVE_OVERTAKEN said; "": nothing */
    const char *blocked;  /* what MOVE_FOREIGN_KEYS said of the batch; "": nothing */
    const char *where;    /* the target, as whoever looks at the source is told of it */
    int64_t limit;     /* applications to hold at most; 0: none; MOVE_ONLY_LOOK: changes nothing */
    const char *place; /* ""; the beginning */
};

struct move_out_result {
    enum move_outcome outcome;
    const char *name;         /* of this shard of this Redis */
    const char *paused_since; /* before it was moved; "": it was not */
    const char *since;        /* notifications are wanted; "": never */
    int64_t entries;          /* of the whole node; 0: not asked */
    int64_t deleted;
    const char *batch; /* that is held; "": none */
    const char *place; /* "": that was all */
    int64_t out;       /* attempts, whose applications wait for their end */
    int64_t later;     /* what a later walk has to find */
    int64_t left;      /* what cannot be moved */
    size_t count;
    const struct move_item *items;
};

typedef void (*store_move_out_done)(void *context, const struct store_failure *failure,
                                    const struct move_out_result *result);
MUST_CHECK bool store_move_out(struct store *store, const struct move_out_query *query,
                               store_move_out_done done, void *context, struct error *error);

/* --- the target --- */

#define MOVE_IN_LOOK "look" /* changes nothing that counts */

struct move_in_batch { /* the same */
    unsigned shard;
    const char *proposal;
    const char *source;       /* its shard's name */
    const char *paused_since; /* there */
    const char *batch;        /* its name; "": it only begins; MOVE_IN_LOOK: who is it? */
    const char *since;
    size_t count;
    const struct move_item *items; /* of this shard */
};

struct move_in_result {
    enum move_outcome outcome;
    const char *what; /* MOVE_FINE: the id of this Redis */
    int64_t written, superseded;
};

typedef void (*store_move_in_done)(void *context, const struct store_failure *failure,
                                   const struct move_in_result *result);
MUST_CHECK bool store_move_in(struct store *store, const struct move_in_batch *batch,
                              store_move_in_done done, void *context, struct error *error);

/* How many of the source's shards lie on the node of this one: 0 while nobody knows where. */
unsigned store_shards_beside(const struct store *store, unsigned shard);
