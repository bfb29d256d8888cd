/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/place.h"

#include "service/store/reply.h"
#include "service/store/script_call.h"

/* With the time 0, at which no script lets anything stand: the beginning of a shard. */
#define BEHIND_NOTHING "-"

void place_add(struct script_call *call, const struct store_place *place)
{
    if (place->id == NULL) {
        script_call_add_text(call, "");
        script_call_add_text(call, "");
    } else {
        script_call_add_number(call, place->at_ms);
        script_call_add_text(call, place->id);
    }
}

struct store_place place_in_walk(const struct script_call *call, const struct redis_reply *reply,
                                 size_t index)
{
    unsigned shard = call->shard->number;
    struct store_place place = place_at(reply, index);
    place.shard = shard;
    if (place.id == NULL && shard + 1 < call->store->shard_count)
        return (struct store_place){.id = BEHIND_NOTHING, .shard = shard + 1};
    return place;
}

struct store_place place_at(const struct redis_reply *reply, size_t index)
{
    if (reply_text_at(reply, index)[0] == '\0')
        return (struct store_place){.id = NULL};
    return (struct store_place){.at_ms = reply_number_at(reply, index),
                                .id = reply_text_at(reply, index + 1)};
}
