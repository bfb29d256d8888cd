/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What a batch is made of, for its two ways to make up calls: of one shard (batch.c), and of many
 * (batch_lanes.c).
 *
 * Owns: see struct batch. Threads: one, its loop's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/inbound/batch.h"

struct batch_place {
    struct accept_item item; /* borrowed texts */
    batch_done done;
    void *context;
    size_t index;
    unsigned shard;
};

/* What is under way to one of many shards, and what waits for it. */
struct lane {
    size_t calls, sent_count, waiting;
    size_t kept;              /* that wait on, of this turn */
    struct call_out *filling; /* of this turn; NULL: none */
    bool is_shut;             /* nothing more leaves for it in this turn */
};

/* One script call, on its way while it holds events, all of one shard. */
struct call_out {
    struct batch *batch;
    unsigned shard;
    struct batch_place places[BATCH_CALL_EVENTS_MAX];
    size_t count;
    size_t bytes;                 /* of many shards' calls */
    struct durability durability; /* that they get */
    size_t reserved;              /* of the gate's places, for as many of them */
    int64_t sent_at_ms;
};

struct batch {
    struct store *store;             /* borrowed: goes before us */
    const struct service_view *view; /* borrowed: outlives us */
    size_t open_events_max;
    struct metric *metrics;    /* borrowed: outlives us */
    struct spool_batch *spool; /* borrowed: outlives us; NULL: none */
    struct batch_place *open;  /* owned: gathered, [first, count) not sent yet */
    size_t first, count, capacity;
    size_t open_bytes;
    struct call_out *calls; /* owned */
    size_t calls_max;
    struct lane *lanes; /* owned; one per shard; NULL: there is one shard */
    unsigned shard_count;
    size_t sent_count;                               /* events on their way, in all calls */
    struct accept_item items[BATCH_CALL_EVENTS_MAX]; /* scratch of send */
    struct claim leased[BATCH_CALL_EVENTS_MAX];      /* scratch of hand_over */
};

/* --- a call of either way: batch_calls.c --- */

/* What is open lies in its room, and as many events are on their way as the calls hold. */
bool batch_is_sound(const struct batch *batch);
/* Its seek-token is the stored one, which may still be on its way from the spool. */
bool batch_has_to_wait_for_spool(const struct batch *batch, const struct batch_place *place);
void batch_report(const struct batch_place *place, const struct batch_result *result);
void batch_report_wait(const struct batch_place *place);
/* The call's events are in `items`. Whether there are events on their way that somebody has to
 * claim. */
bool batch_send_call(struct batch *batch, struct call_out *call);

/* As batch_turn, with many shards. */
bool batch_send_lanes(struct batch *batch);
