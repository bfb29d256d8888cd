/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The operator's side of the store: what is due or dead is listed, the dead are replayed many at a
 * time, sending is paused. Each call is one script with bounded work. See store.h for what holds
 * for all calls.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/domain/seek_token.h"
#include "service/store/applications.h"
#include "service/store/call_failure.h"

struct store;

/* Where a walk in the order of time goes on: behind this entry, whether it is still there or not.
 */
struct store_place {
    int64_t at_ms;
    const char *id; /* NULL: from the beginning; as an answer: there is no more */
};

/* --- list --- */
enum { STORE_LIST_MAX = 200 };

/* Drafts and what was delivered stand in no order of time: nothing of theirs waits to be done. */
enum store_listing {
    LISTING_DUE /* both of the next */,
    LISTING_PENDING,
    LISTING_SENDING,
    LISTING_DEAD
};
bool store_listing_parse(const char *name, enum store_listing *out);

struct store_list_query {
    enum store_listing listing;
    const char *code; /* of the last outcome; NULL: any */
    size_t limit;     /* 1 to STORE_LIST_MAX */
    struct store_place after;
};
struct listed {
    struct application application;
    char fingerprint[SEEK_TOKEN_FINGERPRINT_BYTES];
};
struct store_list {
    const struct listed *items;
    size_t count; /* may be less than the limit, even 0, though there is more */
    struct store_place next;
};
typedef void (*store_list_done)(void *context, const struct store_failure *failure,
                                const struct store_list *list);
MUST_CHECK bool store_list(struct store *store, const struct store_list_query *query,
                           store_list_done done, void *context, struct error *error);

/* --- replay of the dead, a piece per call --- */
struct replay_dead_query {
    const char *code; /* NULL: any */
    bool is_dry;      /* only counts */
    size_t limit;     /* matches of this call; a longer look for them is cut, too */
    int64_t gap_us;   /* from one signal to the next */
    /* All from the answer before; of the first call -1, -1 and the beginning. */
    int64_t latest_death_ms; /* what dies later is left alone */
    int64_t next_due_us;
    struct store_place after;
};
struct replay_dead_result {
    size_t looked, matched;
    int64_t latest_death_ms, next_due_us;
    struct store_place next;
};
typedef void (*store_replay_dead_done)(void *context, const struct store_failure *failure,
                                       const struct replay_dead_result *result);
MUST_CHECK bool store_replay_dead(struct store *store, const struct replay_dead_query *query,
                                  store_replay_dead_done done, void *context, struct error *error);

/* --- pause --- */
/* For everybody on this Redis, until somebody resumes. Pausing twice keeps the first moment. */
MUST_CHECK bool store_set_paused(struct store *store, bool is_paused, store_done done,
                                 void *context, struct error *error);
