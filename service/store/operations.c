/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The operator's side of the store: list, replay of the dead, pause.
 */
#include "service/store/operations.h"

#include <assert.h>
#include <string.h>

#include "service/store/reading.h"
#include "service/store/script_call.h"

/* Entries that one call looks at, so that a filter which fits nothing does not hold Redis. */
enum { LOOK_MAX = 1000 };

/* Two arguments, as two answers: time and id. */
static void add_place(struct script_call *call, const struct store_place *place)
{
    if (place->id == NULL) {
        script_call_add_text(call, "");
        script_call_add_text(call, "");
    } else {
        script_call_add_number(call, place->at_ms);
        script_call_add_text(call, place->id);
    }
}

static struct store_place place_at(const struct redis_reply *reply, size_t index)
{
    if (reply_text_at(reply, index)[0] == '\0')
        return (struct store_place){.id = NULL};
    return (struct store_place){.at_ms = reply_number_at(reply, index),
                                .id = reply_text_at(reply, index + 1)};
}

/* --- list --- */

enum { LIST_ARGUMENTS = 6, LIST_HEAD = 2 /* the next place */ };

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
    if (length < LIST_HEAD || length - LIST_HEAD > call->count)
        return false;
    for (size_t i = 0; i < length - LIST_HEAD; i++) {
        if (!reading_fill(redis_reply_item(reply, LIST_HEAD + i), NULL, &results->items[i]))
            return false;
    }
    results->list = (struct store_list){
        .items = results->items, .count = length - LIST_HEAD, .next = place_at(reply, 0)};
    return true;
}

static void list_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct store_list nothing = {.count = 0};
    const struct list_results *results = call->results;
    call->done.list(call->context, failure,
                    failure->status == STORE_OK ? &results->list : &nothing);
}

static const struct script_call_kind list_kind = {SCRIPT_LIST, list_read, list_finish};

bool store_list(struct store *store, const struct store_list_query *query, store_list_done done,
                void *context, struct error *error)
{
    assert(query->limit > 0 && query->limit <= STORE_LIST_MAX);
    size_t results_bytes = sizeof(struct list_results) + query->limit * sizeof(struct listed);
    AUTO(script_call) *call =
        script_call_create(store, &list_kind, LIST_ARGUMENTS, results_bytes, error);
    if (call == NULL)
        return false;
    call->done.list = done;
    call->context = context;
    call->count = query->limit;
    script_call_add_text(call, listing_names[query->listing]);
    script_call_add_text(call, query->code);
    script_call_add_number(call, (int64_t)query->limit);
    script_call_add_number(call, LOOK_MAX);
    add_place(call, &query->after);
    return script_call_send(STEAL(call), error);
}

/* --- replay of the dead --- */

enum { REPLAY_DEAD_ARGUMENTS = 9, REPLAY_DEAD_ANSWERS = 6 };

static bool replay_dead_read(struct script_call *call, const struct redis_reply *reply)
{
    struct replay_dead_result *result = call->results;
    if (!reply_is_array_of(reply, REPLAY_DEAD_ANSWERS))
        return false;
    *result = (struct replay_dead_result){
        .looked = (size_t)reply_number_at(reply, 0),
        .matched = (size_t)reply_number_at(reply, 1),
        .latest_death_ms = reply_number_at(reply, 2),
        .next_due_us = reply_number_at(reply, 3),
        .next = place_at(reply, 4),
    };
    return true;
}

static void replay_dead_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct replay_dead_result nothing = {.matched = 0};
    call->done.replay_dead(call->context, failure,
                           failure->status == STORE_OK ? call->results : &nothing);
}

static const struct script_call_kind replay_dead_kind = {SCRIPT_REPLAY_DEAD, replay_dead_read,
                                                         replay_dead_finish};

bool store_replay_dead(struct store *store, const struct replay_dead_query *query,
                       store_replay_dead_done done, void *context, struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &replay_dead_kind, REPLAY_DEAD_ARGUMENTS,
                                                 sizeof(struct replay_dead_result), error);
    if (call == NULL)
        return false;
    call->done.replay_dead = done;
    call->context = context;
    script_call_add_text(call, query->code);
    script_call_add_text(call, query->is_dry ? "0" : "1");
    script_call_add_number(call, (int64_t)query->limit);
    script_call_add_number(call, LOOK_MAX);
    script_call_add_number(call, query->gap_us);
    script_call_add_number(call, query->latest_death_ms);
    script_call_add_number(call, query->next_due_us);
    add_place(call, &query->after);
    return script_call_send(STEAL(call), error);
}

/* --- pause --- */

static bool pause_read(struct script_call *call, const struct redis_reply *reply)
{
    (void)call;
    (void)reply; /* whether it changed anything, which nobody asked for */
    return true;
}

static void pause_finish(struct script_call *call, const struct store_failure *failure)
{
    call->done.simple(call->context, failure);
}

static const struct script_call_kind pause_kind = {SCRIPT_PAUSE, pause_read, pause_finish};

bool store_set_paused(struct store *store, bool is_paused, store_done done, void *context,
                      struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &pause_kind, 1, 0, error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    script_call_add_text(call, is_paused ? "1" : "0");
    return script_call_send(STEAL(call), error);
}
