/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/notify.h"

#include <assert.h>
#include <string.h>

#include "service/store/fan.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { ARGUMENTS = 12, HEAD = 8, PLACE = 3 /* time, 'id', id */ };

static const char *const sending_names[] = {
    [SENDING_UNKNOWN] = "",
    [SENDING_STALLED] = "stalled",
    [SENDING_RESUMED] = "resumed",
};

static bool parse_sending(const char *name, enum store_sending *out)
{
    for (size_t i = 0; i < sizeof sending_names / sizeof sending_names[0]; i++) {
        if (strcmp(sending_names[i], name) == 0) {
            *out = (enum store_sending)i;
            return true;
        }
    }
    return false;
}

static bool notify_read(struct script_call *call, const struct redis_reply *reply)
{
    struct store_notification *notification = call->results;
    size_t length = redis_reply_length(reply);
    notification->is_told = true;
    if (reply_is_array_of(reply, 1))
        return true;
    if ((length != HEAD && length != HEAD + 1) || !reply_is_array_of(reply, length))
        return false;
    *notification = (struct store_notification){
        .is_told = true,
        .is_ours = true,
        .change = {.id = reply_text_at(reply, 2),
                   .at_ms = reply_number_at(reply, 3),
                   .reason = reply_text_at(reply, 4),
                   .detail = reply_text_at(reply, 5)},
        .untold = reply_number_at(reply, 6),
        .untold_age_ms = reply_number_at(reply, 7),
        .has_dead = length > HEAD,
    };
    if (!parse_sending(reply_text_at(reply, 1), &notification->change.to) ||
        notification->untold < 0)
        return false;
    if (!notification->has_dead)
        return true;
    const struct redis_reply *entry = redis_reply_item(reply, HEAD);
    if (redis_reply_length(entry) < PLACE || reply_text_at(entry, PLACE - 1)[0] == '\0')
        return false;
    notification->place =
        (struct store_place){.at_ms = reply_number_at(entry, 0), .id = reply_text_at(entry, 2)};
    return application_read(entry, NULL, &notification->dead);
}

static void notify_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct store_notification nothing = {.is_ours = false};
    const struct store_notification *notification = call->results;
    assert(notification->is_ours || !notification->has_dead);
    call->done.notify(call->context, failure,
                      failure->status == STORE_OK ? notification : &nothing);
}

static const struct script_call_kind notify_kind = {SCRIPT_NOTIFY, notify_read, notify_finish,
                                                    false};

/* What is to be told of sending lies in the first shard, what was told of an application in its
 * own.
 */
static void add_query(struct script_call *call, const struct store_notify_query *query)
{
    static const struct store_place nowhere = {.id = NULL};
    bool is_first = call->shard->number == 0;
    bool is_told_here =
        query->told.id != NULL && store_shard_of(call->store, query->told.id) == call->shard;
    script_call_add_text(call, call->shard->keys[SHARD_NOTIFY]);
    script_call_add_text(call, query->asker);
    script_call_add_number(call, query->lease_ms);
    place_add(call, is_told_here ? &query->told : &nowhere);
    if (is_told_here && query->told_died_ms > 0)
        script_call_add_number(call, query->told_died_ms);
    else
        script_call_add_text(call, NULL);
    script_call_add_text(call, is_first ? query->told_change : NULL);
    script_call_add_text(call, is_first ? sending_names[query->sending.to] : NULL);
    script_call_add_text(call, query->sending.id);
    script_call_add_text(call, query->sending.reason);
    script_call_add_text(call, query->sending.detail);
    script_call_add_number(call, query->wanted_for_ms);
}

static struct script_call *make(struct store *store, struct shard *shard, const void *asked,
                                struct error *error)
{
    struct script_call *call = script_call_create(store, shard, &notify_kind, ARGUMENTS,
                                                  sizeof(struct store_notification), error);
    if (call != NULL)
        add_query(call, asked);
    return call;
}

/* --- of many shards --- */

struct notify_state {
    const struct shard *told; /* of what was told; NULL: nothing */
};

static bool is_before(const struct store_place *a, const struct store_place *b)
{
    assert(a->id != NULL && b->id != NULL);
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && strcmp(a->id, b->id) < 0);
}

static void add_part(struct store_notification *all, const struct store_notification *part)
{
    if (!part->is_ours)
        return;
    bool is_earlier = part->has_dead && (!all->has_dead || is_before(&part->place, &all->place));
    all->is_ours = true;
    if (part->change.to != SENDING_UNKNOWN)
        all->change = part->change;
    all->untold += part->untold;
    if (part->untold_age_ms > all->untold_age_ms)
        all->untold_age_ms = part->untold_age_ms;
    if (!is_earlier)
        return;
    all->has_dead = true;
    all->place = part->place;
    all->dead = part->dead;
}

/* Each shard has a lease of its own, and one that is away keeps no other waiting. Who tells is said
 * by the first one, as long as it can be asked: all others follow within a lease. */
static void merge(struct fan *fan)
{
    static const struct store_failure fine = {.status = STORE_OK};
    static const struct store_notification of_another = {.untold_age_ms = -1};
    const struct notify_state *state = fan->state;
    struct store_notification all = of_another;
    bool is_any_done = false, is_of_another = false, is_told = state->told == NULL;
    for (size_t i = 0; i < fan->count; i++) {
        const struct script_call *part = fan->parts[i];
        if (part->failure.status != STORE_OK)
            continue;
        const struct store_notification *one = part->results;
        assert(part->shard != NULL);
        is_any_done = true;
        is_told |= part->shard == state->told;
        is_of_another |= part->shard->number == 0 && !one->is_ours;
        add_part(&all, one);
    }
    if (is_of_another)
        all = of_another;
    all.is_told = is_told;
    assert(all.is_ours || !all.has_dead);
    fan->done.notify(fan->context, is_any_done ? &fine : &fan->failure, &all);
}

static const struct shard *told_shard(struct store *store, const struct store_notify_query *query)
{
    if (query->told.id != NULL)
        return store_shard_of(store, query->told.id);
    return query->told_change != NULL ? &store->shards[0] : NULL;
}

static bool ask_all(struct store *store, const struct store_notify_query *query,
                    store_notify_done done, void *context, struct error *error)
{
    AUTO(fan) *fan =
        fan_create(store, store->shard_count, sizeof(struct notify_state), merge, error);
    if (fan == NULL)
        return false;
    ((struct notify_state *)fan->state)->told = told_shard(store, query);
    fan->done.notify = done;
    fan->context = context;
    if (!fan_send_all(fan, make, query, error))
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}

bool store_notify(struct store *store, const struct store_notify_query *query,
                  store_notify_done done, void *context, struct error *error)
{
    assert(query->asker[0] != '\0' && query->lease_ms >= 0 && query->wanted_for_ms >= 0);
    assert(!query->is_of_first || query->told.id == NULL);
    if (store->shard_count > 1 && !query->is_of_first)
        return ask_all(store, query, done, context, error);
    AUTO(script_call) *call = make(store, &store->shards[0], query, error);
    if (call == NULL)
        return false;
    call->done.notify = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}
