/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/reply.h"

#include <string.h>

#include "service/store/refusal.h"

const char reply_lost[] = "the connection to Redis broke, or it did not answer in time";

bool reply_is_array_of(const struct redis_reply *reply, size_t length)
{
    return redis_reply_type(reply) == REDIS_TYPE_ARRAY && redis_reply_length(reply) == length;
}

const char *reply_text_at(const struct redis_reply *reply, size_t index)
{
    return redis_reply_text(redis_reply_item(reply, index), NULL);
}

int64_t reply_number_at(const struct redis_reply *reply, size_t index)
{
    return redis_reply_integer(redis_reply_item(reply, index));
}

bool reply_is_generation(int64_t number)
{
    return number > 0 && number >> 56 == 0;
}

bool reply_is_passing(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_TYPE_ERROR &&
           refusal_of(redis_reply_text(reply, NULL))->is_passing;
}

bool reply_is_damaged(const struct redis_reply *reply)
{
    return strcmp(redis_reply_text(reply, NULL), "damaged") == 0;
}
