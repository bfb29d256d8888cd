/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the store is made of, for its calls: the shards of the queue, and the connections to the
 * Redis servers that have them.
 *
 * Owns:    see struct store.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <sys/queue.h>

#include "service/store/due_table.h"
#include "service/store/link.h"
#include "service/store/shard.h"
#include "service/store/store.h"

struct store {
    struct store_options options;
    struct shard *shards; /* owned; as many as options.shard_count */
    unsigned shard_count;
    struct due_table *due;          /* borrowed, or `own_due`; NULL: with one shard */
    struct due_table *own_due;      /* owned; NULL: options.due is there */
    int64_t give_back_at_ms;        /* monotonic; not before: see accept.c */
    unsigned next_shard;            /* that is claimed from while none is known to have something */
    int64_t idle_claim_at_ms;       /* monotonic; not before, while nothing waits anywhere */
    TAILQ_HEAD(, store_link) links; /* owned; one, or one for each node that has a shard */
    struct event_loop *loop;        /* borrowed */
    struct store_cluster *cluster;  /* owned; NULL: there is one Redis */
};

struct store_cluster;

/* The application's. */
struct shard *store_shard_of(struct store *store, const char *application_id);
/* Whether calls can be sent to it; ERROR_IO with the reason. */
MUST_CHECK bool store_is_shard_ready(const struct store *store, const struct shard *shard,
                                     struct error *error);
/* A node refused a call: perhaps what is known of the cluster is out of date. */
void store_note_refusal(struct store *store, const struct refusal *refusal);
/* The link to where an answer that came `from` a node says that a shard has moved, which it leads
 * to from now on; NULL: it does not say so, there is no link that is ready, or that one gives less
 * than `told`. */
struct store_link *store_find_moved(struct store *store, struct shard *shard,
                                    const struct store_link *from, const char *answer,
                                    struct durability told);
/* Owed for each that was found. False: the store ends, and nothing can be sent. */
MUST_CHECK bool store_take_moved(struct store *store);
/* Something has, or may have, become due in a shard. */
void store_note_due(struct store *store, const struct shard *shard, int64_t at_ms);
size_t store_calls_open(const struct store *store); /* not answered yet */
