/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Lists what is due or dead, a page per call, each with bounded work.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

#include "service/store/application.h"
#include "service/store/call_failure.h"
#include "service/store/calls/filter.h"
#include "service/store/calls/place.h"

struct store;

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
    struct store_filter filter;
    bool is_latest_first;
    size_t limit; /* 1 to STORE_LIST_MAX */
    struct store_place after;
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
