/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The user's side of the store: events come in; applications are kept, shown, replayed and
 * forgotten. See store.h for what holds for all calls.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/domain/delivery.h"
#include "service/store/call_failure.h"

struct store;

/* --- accept: many events, one script call, one commit --- */
struct accept_item {
    const char *application_id;
    const char *seek_token; /* NULL: the stored one */
    const char *event_id;
    int64_t completed_at_ms; /* -1: now, by Redis's clock */
    const char *traceparent; /* NULL: none */
    int64_t came_us;         /* spool_stamp; 0: there is no spool */
};
enum accept_outcome { ACCEPT_ACCEPTED, ACCEPT_DUPLICATE, ACCEPT_REPLACED, ACCEPT_NO_TOKEN };
struct accept_result {
    enum accept_outcome outcome;
    enum delivery_state state;
    const char *event_id; /* of the first, of which this is a duplicate; else NULL */
};
typedef void (*store_accept_done)(void *context, const struct store_failure *failure,
                                  const struct accept_result *results, size_t count);
MUST_CHECK bool store_accept(struct store *store, const struct accept_item *items, size_t count,
                             store_accept_done done, void *context, struct error *error);

/* --- one application --- */
typedef void (*store_done)(void *context, const struct store_failure *failure);
/* Keeps the draft's seek-token. An application already pending, sending or dead owes its signal
 * with the new seek-token; a delivered one becomes a draft again. The same seek-token changes
 * nothing. `item` without a completion. */
MUST_CHECK bool store_put_token(struct store *store, const struct accept_item *item,
                                store_done done, void *context, struct error *error);
MUST_CHECK bool store_forget(struct store *store, const char *application_id, store_done done,
                             void *context, struct error *error);

enum replay_outcome {
    REPLAY_SCHEDULED,
    REPLAY_UNKNOWN,
    REPLAY_DRAFT,
    REPLAY_SENDING,
    REPLAY_DELIVERED
};
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
    /* A line per attempt, the newest first: number, when (ms), class and code, with spaces between.
     * "" or NULL: none. */
    const char *history;
    const char *traceparent; /* "" */
};
/* `application` is NULL when there is none. */
typedef void (*store_get_done)(void *context, const struct store_failure *failure,
                               const struct application *application);
MUST_CHECK bool store_get(struct store *store, const char *application_id, store_get_done done,
                          void *context, struct error *error);

/* Counts for /v1/status; -1: unknown. */
struct store_census {
    int64_t due, dead, oldest_due_age_ms;
    int64_t paused_at_ms; /* 0: sending is not paused */
};
typedef void (*store_census_done)(void *context, const struct store_failure *failure,
                                  const struct store_census *census);
MUST_CHECK bool store_census(struct store *store, store_census_done done, void *context,
                             struct error *error);
