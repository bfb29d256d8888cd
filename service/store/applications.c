/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The user's side of the store: events come in, drafts are kept, applications replayed and
 * forgotten.
 */
#include "service/store/applications.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "service/domain/event.h"
#include "service/store/script_call.h"

/* --- accept --- */

enum { ACCEPT_ARGUMENTS = 4, DRAFT_ARGUMENTS = 5, MORE_BYTES = 2 * 21 + TRACEPARENT_BYTES + 1 };

/* A duplicate comes with its state and the event that it repeats, anything else with the outcome
 * alone. */
static bool read_accepted(const struct redis_reply *reply, struct accept_result *out)
{
    if (reply_is_array_of(reply, 2)) {
        out->outcome = ACCEPT_DUPLICATE;
        out->event_id = reply_text_at(reply, 1);
        return delivery_state_parse(reply_text_at(reply, 0), &out->state);
    }
    int64_t outcome = redis_reply_integer(reply);
    out->outcome = (enum accept_outcome)outcome;
    out->state = outcome == ACCEPT_NO_TOKEN ? DELIVERY_DRAFT : DELIVERY_PENDING;
    out->event_id = NULL;
    return redis_reply_type(reply) == REDIS_TYPE_INTEGER &&
           (outcome == ACCEPT_ACCEPTED || outcome == ACCEPT_REPLACED || outcome == ACCEPT_NO_TOKEN);
}

static bool accept_read(struct script_call *call, const struct redis_reply *reply)
{
    struct accept_result *results = call->results;
    if (!reply_is_array_of(reply, call->count))
        return false;
    for (size_t i = 0; i < call->count; i++) {
        if (!read_accepted(redis_reply_item(reply, i), &results[i]))
            return false;
    }
    return true;
}

/* What most events do not have, in one argument. */
static void add_more(struct script_call *call, const struct accept_item *item)
{
    const char *traceparent = item->traceparent != NULL ? item->traceparent : "";
    if (item->completed_at_ms == EVENT_COMPLETED_AT_UNKNOWN && item->came_us == 0 &&
        traceparent[0] == '\0') {
        script_call_add_text(call, NULL);
        return;
    }
    char more[MORE_BYTES];
    int length = snprintf(more, sizeof more, "%" PRId64 " %" PRId64 " %s", item->completed_at_ms,
                          item->came_us, traceparent);
    assert(length > 0 && (size_t)length < sizeof more);
    script_call_add_text(call, more);
}

static void accept_finish(struct script_call *call, const struct store_failure *failure)
{
    bool is_done = failure->status == STORE_OK;
    call->done.accept(call->context, failure, is_done ? call->results : NULL,
                      is_done ? call->count : 0);
}

static const struct script_call_kind accept_kind = {SCRIPT_ACCEPT, accept_read, accept_finish};

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_accept(struct store *store, const struct accept_item *items, size_t count,
                  store_accept_done done, void *context, struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &accept_kind, count * ACCEPT_ARGUMENTS,
                                                 count * sizeof(struct accept_result), error);
    if (call == NULL)
        return false;
    call->done.accept = done;
    call->context = context;
    call->count = count;
    for (size_t i = 0; i < count; i++) {
        script_call_add_text(call, items[i].application_id);
        script_call_add_text(call, items[i].seek_token);
        script_call_add_event_id(call, items[i].event_id);
        add_more(call, &items[i]);
    }
    return script_call_send(STEAL(call), error);
}

/* --- put token, forget --- */

static bool simple_read(struct script_call *call, const struct redis_reply *reply)
{
    (void)call;
    (void)reply; /* the state or a count, which nobody asked for */
    return true;
}

static void simple_finish(struct script_call *call, const struct store_failure *failure)
{
    call->done.simple(call->context, failure);
}

static const struct script_call_kind draft_kind = {SCRIPT_DRAFT, simple_read, simple_finish};
static const struct script_call_kind forget_kind = {SCRIPT_FORGET, simple_read, simple_finish};

bool store_put_token(struct store *store, const struct accept_item *item, store_done done,
                     void *context, struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &draft_kind, DRAFT_ARGUMENTS, 0, error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    script_call_add_text(call, item->application_id);
    script_call_add_text(call, item->seek_token);
    script_call_add_event_id(call, item->event_id);
    script_call_add_number(call, store->options.ttl_ms);
    script_call_add_number(call, item->came_us);
    return script_call_send(STEAL(call), error);
}

bool store_forget(struct store *store, const char *application_id, store_done done, void *context,
                  struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &forget_kind, 1, 0, error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}

/* --- replay --- */

static const enum replay_outcome replay_outcomes[DELIVERY_STATE_COUNT] = {
    [DELIVERY_DRAFT] = REPLAY_DRAFT,     [DELIVERY_PENDING] = REPLAY_SCHEDULED,
    [DELIVERY_SENDING] = REPLAY_SENDING, [DELIVERY_DELIVERED] = REPLAY_DELIVERED,
    [DELIVERY_DEAD] = REPLAY_SCHEDULED,
};

static bool replay_read(struct script_call *call, const struct redis_reply *reply)
{
    enum replay_outcome *outcome = call->results;
    const char *text = redis_reply_text(reply, NULL);
    enum delivery_state state;
    *outcome = REPLAY_UNKNOWN;
    if (text[0] == '\0')
        return redis_reply_type(reply) == REDIS_TYPE_TEXT;
    if (!delivery_state_parse(text, &state))
        return false;
    *outcome = replay_outcomes[state];
    return true;
}

static void replay_finish(struct script_call *call, const struct store_failure *failure)
{
    const enum replay_outcome *outcome = call->results;
    call->done.replay(call->context, failure,
                      failure->status == STORE_OK ? *outcome : REPLAY_UNKNOWN);
}

static const struct script_call_kind replay_kind = {SCRIPT_REPLAY, replay_read, replay_finish};

bool store_replay(struct store *store, const char *application_id, store_replay_done done,
                  void *context, struct error *error)
{
    AUTO(script_call) *call =
        script_call_create(store, &replay_kind, 1, sizeof(enum replay_outcome), error);
    if (call == NULL)
        return false;
    call->done.replay = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}
