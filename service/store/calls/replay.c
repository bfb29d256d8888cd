/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/replay.h"

#include "service/domain/delivery.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

static const enum replay_outcome replay_outcomes[DELIVERY_STATE_COUNT] = {
    [DELIVERY_DRAFT] = REPLAY_DRAFT,     [DELIVERY_PENDING] = REPLAY_SCHEDULED,
    [DELIVERY_SENDING] = REPLAY_SENDING, [DELIVERY_DELIVERED] = REPLAY_DELIVERED,
    [DELIVERY_DEAD] = REPLAY_SCHEDULED,
};

struct replay_result {
    enum replay_outcome outcome;
    const char *damage;
};

static bool replay_read(struct script_call *call, const struct redis_reply *reply)
{
    enum { ANSWERS = 2 };
    struct replay_result *result = call->results;
    if (!reply_is_array_of(reply, ANSWERS))
        return false;
    const struct redis_reply *was = redis_reply_item(reply, 0);
    const char *text = redis_reply_text(was, NULL);
    enum delivery_state state;
    *result = (struct replay_result){REPLAY_UNKNOWN, reply_text_at(reply, 1)};
    if (text[0] == '\0')
        return redis_reply_type(was) == REDIS_TYPE_TEXT;
    if (reply_is_damaged(was)) {
        result->outcome = REPLAY_DAMAGED;
        return true;
    }
    if (!delivery_state_parse(text, &state))
        return false;
    result->outcome = replay_outcomes[state];
    return true;
}

static void replay_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct replay_result nothing = {REPLAY_UNKNOWN, ""};
    const struct replay_result *result =
        failure->status == STORE_OK ? (const struct replay_result *)call->results : &nothing;
    call->done.replay(call->context, failure, result->outcome, result->damage);
}

static const struct script_call_kind replay_kind = {SCRIPT_REPLAY, replay_read, replay_finish,
                                                    true};

bool store_replay(struct store *store, const char *application_id, store_replay_done done,
                  void *context, struct error *error)
{
    AUTO(script_call) *call =
        script_call_create(store, store_shard_of(store, application_id), &replay_kind, 1,
                           sizeof(struct replay_result), error);
    if (call == NULL)
        return false;
    call->done.replay = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}
