/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/list.h"

#include <assert.h>
#include <string.h>

#include "service/store/fan.h"
#include "service/store/script_call.h"

enum {
    ARGUMENTS = 13,
    HEAD = 2, /* the next place */
    /* What is asked for may be more than Redis's limits let out at once; and the answers of all
       shards come on one connection, before anybody else's. */
    BYTES_MAX = 128 << 10,
    /* Of each shard, though. With one application of each, a page could show no more than the first
       of all; and so many have room for two with the longest seek-tokens. */
    SHARD_BYTES_MIN = 8 << 10,
    APPLICATION_BYTES_MIN = 128, /* one that is due or dead takes more */
};

static const char *const listing_names[] = {
    [LISTING_DUE] = "due",
    [LISTING_PENDING] = "pending",
    [LISTING_SENDING] = "sending",
    [LISTING_DEAD] = "dead",
};

bool store_listing_parse(const char *name, enum store_listing *out)
{
    for (size_t i = 0; i < sizeof listing_names / sizeof listing_names[0]; i++) {
        if (strcmp(listing_names[i], name) == 0) {
            *out = (enum store_listing)i;
            return true;
        }
    }
    return false;
}

struct list_results {
    struct store_list list;
    struct listed items[];
};

static bool list_read(struct script_call *call, const struct redis_reply *reply)
{
    struct list_results *results = call->results;
    size_t length = redis_reply_length(reply);
    if (length < HEAD || length - HEAD > call->count)
        return false;
    for (size_t i = 0; i < length - HEAD; i++) {
        if (!application_read(redis_reply_item(reply, HEAD + i), NULL, &results->items[i]))
            return false;
    }
    results->list = (struct store_list){
        .items = results->items, .count = length - HEAD, .next = place_at(reply, 0)};
    return true;
}

static void list_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct store_list nothing = {.count = 0};
    const struct list_results *results = call->results;
    assert(results->list.count <= call->count); /* the room that was made */
    call->done.list(call->context, failure,
                    failure->status == STORE_OK ? &results->list : &nothing);
}

static const struct script_call_kind list_kind = {SCRIPT_LIST, list_read, list_finish, false};

static size_t bytes_of_shard(const struct store *store)
{
    size_t bytes = BYTES_MAX / store->shard_count;
    return bytes > SHARD_BYTES_MIN ? bytes : SHARD_BYTES_MIN;
}

/* No more than there can be in so many bytes: each shard's answer has its room beforehand. */
static size_t limit_of_shard(size_t limit, size_t bytes)
{
    size_t room = bytes / APPLICATION_BYTES_MIN;
    return limit < room ? limit : room;
}

static struct script_call *make(struct store *store, struct shard *shard, const void *asked,
                                struct error *error)
{
    const struct store_list_query *query = asked;
    size_t bytes = bytes_of_shard(store), limit = limit_of_shard(query->limit, bytes);
    size_t results_bytes = sizeof(struct list_results) + limit * sizeof(struct listed);
    struct script_call *call =
        script_call_create(store, shard, &list_kind, ARGUMENTS, results_bytes, error);
    if (call == NULL)
        return NULL;
    call->count = limit;
    script_call_add_text(call, listing_names[query->listing]);
    script_call_add_text(call, query->filter.code);
    script_call_add_number(call, (int64_t)limit);
    script_call_add_number(call, PLACE_LOOK_MAX);
    place_add(call, &query->after);
    script_call_add_text(call, query->filter.class);
    filter_add_time(call, query->filter.since_ms);
    filter_add_time(call, query->filter.until_ms);
    script_call_add_number(call, query->is_latest_first);
    script_call_add_text(call, query->filter.id_prefix);
    script_call_add_number(call, (int64_t)bytes);
    script_call_add_text(call, query->filter.message);
    return call;
}

/* --- of many shards: each is asked for a page behind the same place, and tells where it ends ---
 */

struct list_merge {
    bool is_latest_first;
    size_t limit;
    struct listed items[];
};

/* Redis's order: by time, then by the bytes of the id. */
static bool comes_before(const struct list_merge *merge, const struct store_place *a,
                         const struct store_place *b)
{
    int order = a->at_ms < b->at_ms ? -1 : a->at_ms > b->at_ms ? 1 : strcmp(a->id, b->id);
    return merge->is_latest_first ? order > 0 : order < 0;
}

static struct store_place place_of(const struct listed *item)
{
    return (struct store_place){.at_ms = item->at_ms, .id = item->application.id};
}

/* Behind it a shard may have something that it has not told yet; its id is NULL: all was told. */
static struct store_place find_horizon(const struct fan *fan)
{
    struct store_place horizon = {.id = NULL};
    for (size_t i = 0; i < fan->count; i++) {
        const struct store_place *next =
            &((const struct list_results *)fan->parts[i]->results)->list.next;
        if (next->id != NULL && (horizon.id == NULL || comes_before(fan->state, next, &horizon)))
            horizon = *next;
    }
    return horizon;
}

/* The first item that no shard has given yet; NULL: none. `given`: how many each has. */
static const struct listed *find_first(const struct fan *fan, const size_t given[], size_t *out)
{
    const struct listed *first = NULL;
    for (size_t i = 0; i < fan->count; i++) {
        const struct store_list *list =
            &((const struct list_results *)fan->parts[i]->results)->list;
        if (given[i] == list->count)
            continue;
        const struct listed *item = &list->items[given[i]];
        struct store_place here = place_of(item);
        struct store_place there = first != NULL ? place_of(first) : here;
        if (first != NULL && !comes_before(fan->state, &here, &there))
            continue;
        first = item;
        *out = i;
    }
    return first;
}

/* Takes what lies before the horizon, up to the limit; and where the next page begins. */
static struct store_list merge_pages(const struct fan *fan)
{
    struct list_merge *merge = fan->state;
    assert(fan->count == fan->store->shard_count);
    size_t given[SHARD_COUNT_MAX] = {0}, part = 0;
    const struct listed *first;
    struct store_list list = {.items = merge->items, .next = find_horizon(fan)};
    while ((first = find_first(fan, given, &part)) != NULL) {
        struct store_place here = place_of(first);
        if (list.next.id != NULL && comes_before(merge, &list.next, &here))
            break;
        if (list.count == merge->limit) {
            list.next = place_of(&merge->items[list.count - 1]);
            break;
        }
        struct listed *copy = &merge->items[list.count++];
        *copy = *first;
        copy->application.token_fingerprint = copy->fingerprint;
        given[part]++;
    }
    return list;
}

static void merge_lists(struct fan *fan)
{
    struct store_list list = {.count = 0};
    if (fan->failure.status == STORE_OK)
        list = merge_pages(fan);
    fan->done.list(fan->context, &fan->failure, &list);
}

static bool list_all(struct store *store, const struct store_list_query *query,
                     store_list_done done, void *context, struct error *error)
{
    if (!store_are_all_ready(store, error))
        return false;
    AUTO(fan) *fan = fan_create(store, store->shard_count,
                                sizeof(struct list_merge) + query->limit * sizeof(struct listed),
                                merge_lists, error);
    if (fan == NULL)
        return false;
    struct list_merge *merge = fan->state;
    merge->is_latest_first = query->is_latest_first;
    merge->limit = query->limit;
    fan->done.list = done;
    fan->context = context;
    if (!fan_send_all(fan, make, query, error))
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}

bool store_list(struct store *store, const struct store_list_query *query, store_list_done done,
                void *context, struct error *error)
{
    assert(query->limit > 0 && query->limit <= STORE_LIST_MAX);
    assert((size_t)query->listing < sizeof listing_names / sizeof listing_names[0]);
    if (store->shard_count > 1)
        return list_all(store, query, done, context, error);
    AUTO(script_call) *call = make(store, &store->shards[0], query, error);
    if (call == NULL)
        return false;
    call->done.list = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}
