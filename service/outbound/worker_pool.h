/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The worker threads: each claims what is due, sends it to SEEK, and settles what came of it.
 *
 * Owns:    its threads, each with a curl multi and a store of its own.
 * Threads: create, start, stop, destroy from main; wake and status from any.
 * Blocks:  stop up to its deadline.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/heartbeat.h"
#include "lib/base/metrics.h"
#include "lib/base/ownership.h"

#include "service/outbound/access_token.h"
#include "service/outbound/outcome_watch.h"
#include "service/outbound/sending_gate.h"
#include "service/store/store.h"

struct tracer;
struct worker_pool;

struct worker_pool_options {
    unsigned worker_count;
    unsigned in_flight_max;  /* of all workers together */
    const char *graphql_url; /* all borrowed: outlive the pool */
    const char *token_url;
    const char *graphql_proxy, *token_proxy; /* for texts; NULL: none is used */
    const char *user_agent;
    const char *accept_language;
    const char *ca_file; /* NULL: the system's */
    unsigned request_timeout_ms;
    int64_t retry_base_ms, retry_max_ms, retry_age_max_ms;
    bool is_upstream_logged;    /* LOG_UPSTREAM=full */
    struct store_options store; /* `role` is set per worker */
    struct access_token *access_token;
    struct sending_gate *gate;
    struct tracer *tracer; /* outlives the pool; NULL: none */
};

MUST_CHECK struct worker_pool *worker_pool_create(const struct worker_pool_options *options,
                                                  struct error *error);
MUST_CHECK bool worker_pool_start(struct worker_pool *pool, struct error *error);
/* Something became due: wakes one worker that can take it, but while sending is paused only for
 * what may have ended the pause too. Cheap, any thread. */
void worker_pool_note_due(struct worker_pool *pool, bool may_be_resumed);

/* --- the straight way: see store/calls/accept.h and handover.h ------------------------------- */

/* How many of `wanted` signals could begin at once, if a commit leased them: as many places are the
 * caller's, until it hands them back with worker_pool_hand_over. 0 also while anything is known to
 * be due in that shard, or more in others than there are places for, which comes first, or sending
 * is paused, or it ends. Cheap, any thread. */
size_t worker_pool_reserve(struct worker_pool *pool, size_t wanted, unsigned shard);
struct leased_signals {
    const struct claim *claims;
    size_t count;
    int64_t leased_at_ms; /* monotonic: no later than the lease began */
    bool is_committed;    /* at the level that is acknowledged; else a worker releases them */
};
/* The commit has ended: what it leased goes to a worker with its places; the places left go back.
 * Any thread. */
void worker_pool_hand_over(struct worker_pool *pool, size_t places,
                           const struct leased_signals *leased);

/* --- ?wait= ---------------------------------------------------------------------------------- */

/* From now on the waiter is called when a worker of this pool has recorded the application's final
 * state; until it is taken out again, which its owner owes. Any thread. */
void worker_pool_add_waiter(struct worker_pool *pool, struct outcome_waiter *waiter);
void worker_pool_remove_waiter(struct worker_pool *pool, struct outcome_waiter *waiter);

struct worker_pool_end {
    size_t cut;        /* transfers ended by us */
    size_t unrecorded; /* claims whose outcome Redis may not have: sent again after their lease */
    size_t repeats;    /* of these, what SEEK has accepted already */
    size_t stuck;      /* workers that did not end, and use all that they were given */
};
/* What is due is sent as long as an attempt fits in before the deadline; transfers in flight finish
 * until then, and after it their leases are settled as retries; then joins. */
struct worker_pool_end worker_pool_stop(struct worker_pool *pool, int64_t deadline_ms);
/* Accepts NULL; stop first. Not while a worker is stuck: then nothing may be freed. */
void worker_pool_destroy(struct worker_pool *pool);
DEFINE_AUTO(worker_pool);

/* Heartbeats, one per worker. */
const struct heartbeat *worker_pool_heartbeats(const struct worker_pool *pool, size_t *out_count);
/* The rows of /metrics that the workers fill. */
struct metric_table worker_pool_metrics(struct worker_pool *pool);
/* A replay has met an application that somebody else has changed: counted with those that the
 * workers meet. Any thread. */
void worker_pool_count_damaged(struct worker_pool *pool);

struct worker_pool_status {
    unsigned workers, workers_connected; /* to Redis */
    uint64_t delivered, retried, died, fenced, leases_expired;
    int64_t due_count;            /* as the last claim saw it; -1: unknown */
    int64_t last_delivered_at_ms; /* wall; 0: never */
    /* Of the signals that this process is to try again, since the event was accepted or replayed,
     * and what came of the last attempt; 0, VERDICT_CLASS_COUNT: there is none. */
    int64_t oldest_retry_ms;
    enum verdict_class oldest_retry_class;
};
void worker_pool_status(struct worker_pool *pool, struct worker_pool_status *out);
