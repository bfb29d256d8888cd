/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/draft.h"

#include <string.h>

#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { ARGUMENTS = 6 };

struct draft_result {
    bool is_damaged, is_late;
};

static bool draft_read(struct script_call *call, const struct redis_reply *reply)
{
    struct draft_result *result = call->results;
    result->is_damaged = reply_is_damaged(reply);
    result->is_late = strcmp(redis_reply_text(reply, NULL), "late") == 0;
    return true;
}

static void draft_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct store_failure not_ours = {
        .status = STORE_DAMAGED,
        .detail = "The application's key in Redis is not a hash, because another program has "
                  "written to it."};
    const struct draft_result *result = call->results;
    if (failure->status == STORE_OK && result->is_damaged)
        failure = &not_ours;
    else if (failure->status == STORE_OK && result->is_late)
        failure = &accept_came_late;
    call->done.simple(call->context, failure);
}

static const struct script_call_kind draft_kind = {SCRIPT_DRAFT, draft_read, draft_finish, true};

bool store_put_token(struct store *store, const struct accept_item *item, store_done done,
                     void *context, struct error *error)
{
    AUTO(script_call) *call =
        script_call_create(store, store_shard_of(store, item->application_id), &draft_kind,
                           ARGUMENTS, sizeof(struct draft_result), error);
    if (call == NULL)
        return false;
    call->done.simple = done;
    call->context = context;
    script_call_add_text(call, item->application_id);
    script_call_add_text(call, item->seek_token);
    script_call_add_event_id(call, item->event_id);
    script_call_add_number(call, store->options.ttl_ms);
    script_call_add_stamp(call, item->came_us, item->life);
    script_call_add_number(call, store_link_latest_ms(call->link));
    return script_call_send(STEAL(call), error);
}
