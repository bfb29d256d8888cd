/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/pause.h"

#include <assert.h>

#include "lib/base/clock.h"

#include "service/store/fan.h"
#include "service/store/script_call.h"

static const struct script_call_kind pause_kind = {SCRIPT_PAUSE, script_call_read_nothing,
                                                   script_call_finish_simple, false};

static struct script_call *make(struct store *store, struct shard *shard, const void *asked,
                                struct error *error)
{
    const bool *is_paused = asked;
    struct script_call *call = script_call_create(store, shard, &pause_kind, 1, 0, error);
    if (call != NULL)
        script_call_add_text(call, *is_paused ? "1" : "0");
    return call;
}

/* Who resumes wants to see that it goes on. */
static void finish(struct fan *fan)
{
    assert(fan->done.simple != NULL);
    for (unsigned i = 0; i < fan->store->shard_count; i++)
        store_note_due(fan->store, &fan->store->shards[i], clock_monotonic_ms());
    fan->done.simple(fan->context, &fan->failure);
}

/* Who brakes asks again only if nobody is paused. */
static void finish_some(struct fan *fan)
{
    static const struct store_failure fine = {.status = STORE_OK};
    bool is_any_paused = false;
    assert(fan->done.simple != NULL);
    for (size_t i = 0; i < fan->count; i++)
        is_any_paused |= fan->parts[i]->failure.status == STORE_OK;
    fan->done.simple(fan->context, is_any_paused ? &fine : &fan->failure);
}

/* Where one shard is away the others are told all the same. NULL: there was no memory. */
static bool tell_all(struct fan *take_fan, bool is_paused, store_done done, void *context,
                     struct error *error)
{
    AUTO(fan) *fan = take_fan;
    if (fan == NULL)
        return false;
    fan->done.simple = done;
    fan->context = context;
    if (!fan_send_all(fan, make, &is_paused, error))
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}

static bool tell_one(struct store *store, bool is_paused, store_done done, void *context,
                     struct error *error)
{
    AUTO(script_call) *call = make(store, &store->shards[0], &is_paused, error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}

bool store_set_paused(struct store *store, bool is_paused, store_done done, void *context,
                      struct error *error)
{
    if (store->shard_count == 1)
        return tell_one(store, is_paused, done, context, error);
    return tell_all(fan_create(store, store->shard_count, 0, finish, error), is_paused, done,
                    context, error);
}

bool store_brake(struct store *store, store_done done, void *context, struct error *error)
{
    if (store->shard_count == 1)
        return tell_one(store, true, done, context, error);
    return tell_all(fan_create(store, store->shard_count, 0, finish_some, error), true, done,
                    context, error);
}
