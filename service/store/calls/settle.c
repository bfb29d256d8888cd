/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/settle.h"

#include <assert.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/fan.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { ARGUMENTS = 3 /* per settlement, after the time to live */ };

static const char *const action_names[] = {
    [SETTLE_DELIVERED] = "delivered", [SETTLE_RETRY] = "retry",     [SETTLE_DEAD] = "dead",
    [SETTLE_RELEASE] = "release",     [SETTLE_DAMAGED] = "damaged",
};

static void add_settlement(struct script_call *call, const struct settlement *settlement)
{
    assert((size_t)settlement->action < sizeof action_names / sizeof action_names[0]);
    assert(settlement->delay_ms >= 0);
    const struct verdict *verdict = settlement->verdict;
    const char *code = verdict != NULL              ? verdict->code
                       : settlement->damage != NULL ? settlement->damage
                                                    : "";
    script_call_add_text(call, settlement->application_id);
    script_call_add_generation(call, settlement->generation);
    script_call_add_text(call, action_names[settlement->action]);
    script_call_extend_text(call, " ");
    script_call_extend_number(call, settlement->delay_ms);
    script_call_extend_text(call, " ");
    script_call_extend_text(call, verdict != NULL ? verdict_class_name(verdict->class) : "-");
    script_call_extend_text(call, " ");
    script_call_extend_number(call, verdict != NULL ? verdict->http_status : 0);
    script_call_extend_text(call, " ");
    script_call_extend_number(call, (int64_t)strlen(code));
    script_call_extend_text(call, " ");
    script_call_extend_text(call, code);
    script_call_extend_text(call, verdict != NULL ? verdict->message : "");
}

static bool settle_read(struct script_call *call, const struct redis_reply *reply)
{
    enum settle_outcome *outcomes = call->results;
    if (!reply_is_array_of(reply, call->count))
        return false;
    for (size_t i = 0; i < call->count; i++)
        outcomes[i] = reply_number_at(reply, i) != 0 ? SETTLED : SETTLE_FENCED;
    return true;
}

static void settle_finish(struct script_call *call, const struct store_failure *failure)
{
    assert(call->count > 0);
    bool is_done = failure->status == STORE_OK;
    call->done.settle(call->context, failure, is_done ? call->results : NULL,
                      is_done ? call->count : 0);
}

static const struct script_call_kind settle_kind = {SCRIPT_SETTLE, settle_read, settle_finish,
                                                    false};

/* The settlements at these places; NULL: all `count`, as they come. */
static struct script_call *make(struct store *store, struct shard *shard, const void *items,
                                const size_t *places, size_t count, struct error *error)
{
    const struct settlement *settlements = items;
    struct script_call *call = script_call_create(store, shard, &settle_kind, 1 + count * ARGUMENTS,
                                                  count * sizeof(enum settle_outcome), error);
    if (call == NULL)
        return NULL;
    call->count = count;
    script_call_add_number(call, store->options.ttl_ms);
    for (size_t i = 0; i < count; i++)
        add_settlement(call, &settlements[places != NULL ? places[i] : i]);
    return call;
}

/* --- of many shards --- */

struct settle_state {
    enum settle_outcome *outcomes; /* behind the rest */
    int64_t *delays_ms;            /* the same */
    size_t count;
    size_t firsts[SHARD_COUNT_MAX]; /* of each part, in `places` */
    size_t places[];
};

static void note_due(const struct script_call *call, enum settle_outcome outcome, int64_t delay_ms)
{
    if (outcome == SETTLE_FENCED)
        delay_ms = 0; /* what is newer waited for this */
    if (delay_ms >= 0)
        store_note_due(call->store, call->shard, clock_monotonic_ms() + delay_ms);
}

static void merge_outcomes(struct fan *fan)
{
    struct settle_state *state = fan->state;
    size_t done_count = 0;
    for (size_t i = 0; i < fan->count; i++) {
        const struct script_call *part = fan->parts[i];
        const enum settle_outcome *outcomes = part->results;
        for (size_t j = 0; part->failure.status == STORE_OK && j < part->count; j++) {
            size_t place = state->places[state->firsts[i] + j];
            state->outcomes[place] = outcomes[j];
            note_due(part, outcomes[j], state->delays_ms[place]);
            done_count++;
        }
    }
    static const struct store_failure fine = {.status = STORE_OK};
    bool is_any_done = done_count > 0;
    fan->done.settle(fan->context, is_any_done ? &fine : &fan->failure,
                     is_any_done ? state->outcomes : NULL, is_any_done ? state->count : 0);
}

static const char *id_of(const void *items, size_t place)
{
    return ((const struct settlement *)items)[place].application_id;
}

static struct fan *create_fan(struct store *store, const struct settlement *settlements,
                              size_t count, struct error *error)
{
    struct fan *fan =
        fan_create(store, store->shard_count,
                   sizeof(struct settle_state) +
                       count * (sizeof(size_t) + sizeof(int64_t) + sizeof(enum settle_outcome)),
                   merge_outcomes, error);
    if (fan == NULL)
        return NULL;
    struct settle_state *state = fan->state;
    state->count = count;
    state->delays_ms = (int64_t *)(void *)(state->places + count);
    state->outcomes = (enum settle_outcome *)(void *)(state->delays_ms + count);
    for (size_t i = 0; i < count; i++) {
        enum settle_action action = settlements[i].action;
        state->outcomes[i] = SETTLE_UNDONE;
        state->delays_ms[i] = action == SETTLE_RETRY     ? settlements[i].delay_ms
                              : action == SETTLE_RELEASE ? 0
                                                         : -1;
    }
    return fan;
}

/* NOLINTNEXTLINE(readability-function-size) */
static bool settle_all(struct store *store, const struct settlement *settlements, size_t count,
                       store_settle_done done, void *context, struct error *error)
{
    AUTO(fan) *fan = create_fan(store, settlements, count, error);
    if (fan == NULL)
        return false;
    fan->done.settle = done;
    fan->context = context;
    struct settle_state *state = fan->state;
    const struct fan_items sorted = {settlements, count, id_of, make};
    if (!fan_send_items(fan, &sorted, state->places, state->firsts, error))
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_settle(struct store *store, const struct settlement *settlements, size_t count,
                  store_settle_done done, void *context, struct error *error)
{
    assert(count > 0);
    if (store->shard_count > 1)
        return settle_all(store, settlements, count, done, context, error);
    AUTO(script_call) *call = make(store, &store->shards[0], settlements, NULL, count, error);
    if (call == NULL)
        return false;
    call->done.settle = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}
