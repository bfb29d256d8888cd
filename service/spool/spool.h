/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The spool: while Redis is away, events are kept in a journal on this machine's disk, and brought
 * to Redis, in order, when it is back.
 *
 *     order ──submit──► written and synced ──► told ──► … ──► drained into Redis ──► deleted
 *
 * Owns:    the journal, and one thread with a connection to Redis of its own.
 * Threads: create, start, stop and destroy one at a time; an order belongs to the thread that
 * submits it; everything else from any.
 * Blocks:  create while the journal is read, stop until what was submitted is written; everything
 * else never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/heartbeat.h"
#include "lib/base/metrics.h"
#include "lib/base/ownership.h"

#include "service/spool/spool_record.h"
#include "service/store/store.h"

struct event_loop;
struct spool;

enum {
    SPOOL_ORDER_BYTES_MAX = 4 * 1024 * 1024,
    SPOOL_CALL_RECORDS_MAX = 500, /* of one drain: Redis serves nobody else meanwhile */
};

struct spool_options {
    const char *directory; /* borrowed: outlives the spool */
    uint64_t bytes_max;
    struct store_options store; /* `role` is set here */
    /* Called by the spool's thread when signals have become due, as service_view.h has it; NULL:
     * nobody wants to know. */
    void (*due)(void *context, bool may_be_resumed);
    void *context;
};

/* ERROR_IO when the directory cannot be used, or another process uses it; never because of what is
 * in it: what is damaged is logged and set aside. */
MUST_CHECK struct spool *spool_create(const struct spool_options *options, struct error *error);
MUST_CHECK bool spool_start(struct spool *spool, struct error *error);
/* Writes what was submitted, takes nothing more; what is in the journal stays. Accepts NULL. */
void spool_stop(struct spool *spool);
void spool_destroy(struct spool *spool); /* stops first; accepts NULL */
DEFINE_AUTO(spool);

/* The time by which the newer of two seek-tokens is known, in microseconds since 1970: each call
 * gives a later one, also when the clock is set back. */
int64_t spool_stamp(struct spool *spool);
/* By which stamps of this process's are told from those of others, whose clocks differ. What an
 * earlier process has left in the journal has stamps before all of this one's, and goes by its life
 * too. */
uint32_t spool_life(const struct spool *spool);
/* Something that was accepted is not in Redis yet. */
bool spool_is_holding(const struct spool *spool);
/* Perhaps of this application; of another one once in some thousands. NULL: of any. */
bool spool_is_holding_for(const struct spool *spool, const char *application_id);

/* --- orders: records to be written together --- */
enum spool_order_state { SPOOL_ORDER_OPEN, SPOOL_ORDER_SUBMITTED, SPOOL_ORDER_DONE };
struct spool_order {
    /* The owner's until it is submitted, and again when it is done. */
    struct buffer records; /* made by spool_record_write, at most SPOOL_ORDER_BYTES_MAX */
    size_t count;
    struct event_loop *loop; /* is woken when the order is done; outlives the spool's thread */
    bool is_written;         /* when done: all records are on the disk, or none counts … */
    struct error error;      /* … for this reason */
    /* The spool's. */
    enum spool_order_state state;
    struct spool_order *next;
};
/* False once the spool is stopped. An order that is submitted is left alone until it is done. */
MUST_CHECK bool spool_submit(struct spool *spool, struct spool_order *order);
bool spool_is_done(struct spool *spool, const struct spool_order *order);

struct spool_status {
    bool is_able; /* the next event would be taken, as far as can be known */
    uint64_t bytes, bytes_max;
    size_t records;
    int64_t oldest_age_ms; /* -1: it is empty */
    char reason[448];      /* one sentence: why it is not able; "" */
};
void spool_status(struct spool *spool, struct spool_status *out);
const struct heartbeat *spool_heartbeat(const struct spool *spool);
struct metric_table spool_metrics(const struct spool *spool); /* accepts NULL: none */
