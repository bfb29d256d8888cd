/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Applications and their signals in Redis: the only store. Every change is one of the scripts in store/scripts.
 *
 * All calls are asynchronous: they queue a command on this store's own connection and `done` is called from
 * store_turn, exactly once per call that returned true. Texts passed in are copied, texts passed to `done`
 * are borrowed for that call.
 *
 * Owns:    one Redis connection.
 * Threads: one at a time; every loop creates its own.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"
#include "service/domain/delivery.h"
#include "service/domain/upstream_reply.h"

struct store;

enum durability { /* ascending; names in durability_name */
    DURABILITY_ANY, /* only as a demand: whatever Redis gives */
    DURABILITY_REDIS,
    DURABILITY_FSYNC,
};
const char *durability_name(enum durability durability);
bool durability_parse(const char *text, enum durability *out);

struct store_options {
    bool (*locate)(void *context, struct redis_url *out, struct error *error);
    void *context;
    const char *ca_file; /* borrowed: outlives the store */
    enum durability demand;
    int64_t ttl_ms;      /* of delivered applications and drafts */
    int64_t lease_ms;
    int64_t age_max_ms;  /* an expired lease of an event older than this is dead */
    const char *role;    /* "intake-0": for logs; borrowed: outlives the store */
};

MUST_CHECK struct store *store_create(const struct store_options *options, struct error *error);
void store_destroy(struct store *store); /* open calls end STORE_UNAVAILABLE; accepts NULL */
DEFINE_AUTO(store);

void store_interest(const struct store *store, int64_t now_ms, struct redis_interest *out);
void store_turn(struct store *store, int64_t now_ms, bool is_readable, bool is_writable);
void store_flush(struct store *store);

/* What preflight found. */
struct store_health {
    bool is_ready;
    enum durability durability; /* what this Redis gives */
    char reason[256]; /* one sentence: why not ready, or a warning while ready; "" */
};
void store_health(const struct store *store, struct store_health *out);
size_t store_pending(const struct store *store); /* calls not answered yet */

struct store_counters { /* since creation; for metrics */
    uint64_t connects, losses, fenced, leases_expired;
    int64_t last_round_trip_us;
};
void store_counters(const struct store *store, struct store_counters *out);

enum store_status {
    STORE_OK,
    STORE_UNAVAILABLE, /* connection lost or time-out: nobody knows whether it was done */
    STORE_REFUSED,     /* Redis answered an error (OOM, MISCONF, READONLY, LOADING, …): nothing was done */
};
struct store_failure {
    enum store_status status;
    char detail[160]; /* for the log and the problem's detail */
};

/* --- accept: many events, one script call, one commit ------------------------------------------- */
struct accept_item {
    const char *application_id;
    const char *seek_token;  /* NULL: the stored one */
    const char *event_id;
    int64_t completed_at_ms; /* -1: now, by Redis's clock */
    const char *traceparent; /* NULL: none */
};
enum accept_outcome { ACCEPT_ACCEPTED, ACCEPT_DUPLICATE, ACCEPT_REPLACED, ACCEPT_NO_TOKEN };
struct accept_result {
    enum accept_outcome outcome;
    enum delivery_state state;
    const char *event_id; /* a duplicate has the id of the first */
};
typedef void (*store_accept_done)(void *context, const struct store_failure *failure,
                                  const struct accept_result *results, size_t count);
MUST_CHECK bool store_accept(struct store *store, const struct accept_item *items, size_t count,
                             store_accept_done done, void *context, struct error *error);

/* --- one application ---------------------------------------------------------------------------- */
typedef void (*store_done)(void *context, const struct store_failure *failure);
/* Keeps the draft's seek-token. An application already pending, sending or dead owes its signal with the new
 * seek-token; a delivered one becomes a draft again. The same seek-token changes nothing. */
MUST_CHECK bool store_put_token(struct store *store, const char *application_id,
                                const char *seek_token, const char *event_id, store_done done,
                                void *context, struct error *error);
MUST_CHECK bool store_forget(struct store *store, const char *application_id, store_done done,
                             void *context, struct error *error);

enum replay_outcome { REPLAY_SCHEDULED, REPLAY_UNKNOWN, REPLAY_DRAFT, REPLAY_SENDING, REPLAY_DELIVERED };
typedef void (*store_replay_done)(void *context, const struct store_failure *failure,
                                  enum replay_outcome outcome);
MUST_CHECK bool store_replay(struct store *store, const char *application_id,
                             store_replay_done done, void *context, struct error *error);

struct application { /* times in ms since 1970, 0: not yet */
    const char *id;
    enum delivery_state state;
    const char *event_id; /* "" for a draft */
    const char *token_fingerprint;
    int64_t token_received_at_ms;
    int64_t accepted_at_ms, completed_at_ms, delivered_at_ms, died_at_ms, replayed_at_ms;
    int64_t next_attempt_at_ms; /* pending */
    int64_t last_attempt_at_ms;
    unsigned attempts;
    uint64_t generation;
    const char *last_class, *last_code, *last_message; /* "" before the first outcome */
    unsigned last_http_status;
    const char *traceparent; /* "" */
};
/* `application` is NULL when there is none. */
typedef void (*store_get_done)(void *context, const struct store_failure *failure,
                               const struct application *application);
MUST_CHECK bool store_get(struct store *store, const char *application_id, store_get_done done,
                          void *context, struct error *error);

/* --- the worker's side -------------------------------------------------------------------------- */
struct claim {
    const char *application_id;
    const char *seek_token;
    const char *event_id;
    const char *traceparent; /* "" */
    uint64_t generation;     /* the fence: passed back with the settlement */
    unsigned attempt;        /* this one's number, from 1 */
    int64_t completed_at_ms;
    int64_t age_ms;          /* since accepted or replayed */
    bool was_auth_before;
    bool was_expired;        /* the attempt before this one never reported back */
};
struct claim_result {
    const struct claim *claims;
    size_t count;
    int64_t next_due_in_ms; /* -1: nothing else waits; 0: more is due now */
    size_t due_count;       /* pending and sending applications in all */
};
typedef void (*store_claim_done)(void *context, const struct store_failure *failure,
                                 const struct claim_result *result);
/* Takes at most `limit` that start now. The lease runs from Redis's receipt: do not start one whose answer came later
 * than the lease less the attempt's budget after this call. */
MUST_CHECK bool store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                            struct error *error);

enum settle_action { SETTLE_DELIVERED, SETTLE_RETRY, SETTLE_DEAD, SETTLE_RELEASE /* was never sent */ };
struct settlement {
    const char *application_id;
    uint64_t generation;
    enum settle_action action;
    int64_t delay_ms;           /* SETTLE_RETRY */
    const struct verdict *verdict; /* NULL for SETTLE_RELEASE */
};
enum settle_outcome { SETTLED, SETTLE_FENCED /* a newer seek-token or another lease moved on */ };
typedef void (*store_settle_done)(void *context, const struct store_failure *failure,
                                  const enum settle_outcome *outcomes, size_t count);
MUST_CHECK bool store_settle(struct store *store, const struct settlement *settlements,
                             size_t count, store_settle_done done, void *context,
                             struct error *error);

/* Counts for /v1/status; -1: unknown. */
struct store_census {
    int64_t due, dead, oldest_due_age_ms;
};
typedef void (*store_census_done)(void *context, const struct store_failure *failure,
                                  const struct store_census *census);
MUST_CHECK bool store_census(struct store *store, store_census_done done, void *context,
                             struct error *error);
