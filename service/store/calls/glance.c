/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/glance.h"

#include <assert.h>

#include "service/store/fan.h"
#include "service/store/reply.h"

struct glance_part {
    struct fan *fan;
    struct store_link *link;
    struct store_glance *glance;
};

struct glance_state {
    store_glance_done done;
    struct store_glance glances[GLANCE_SHARDS_MAX];
    struct glance_part parts[GLANCE_SHARDS_MAX];
    size_t count;
};

static void tell(struct fan *fan)
{
    const struct glance_state *state = fan->state;
    assert(state->count <= GLANCE_SHARDS_MAX);
    state->done(fan->context, state->glances, state->count);
}

static void end_command(const struct glance_part *part)
{
    static const struct store_failure fine = {.status = STORE_OK};
    assert(part->link->calls_open > 0);
    part->link->calls_open--;
    fan_note_end(part->fan, &fine); /* what is not known is said in the glance */
}

/* Of a set that holds nothing there is an empty array; of anything else an error. */
static void take_due(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    struct glance_part *part = context;
    part->glance->is_known = lost == REDIS_OK && redis_reply_type(reply) == REDIS_TYPE_ARRAY;
    part->glance->is_anything_due = part->glance->is_known && redis_reply_length(reply) > 0;
    end_command(part);
}

static void take_dead(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    struct glance_part *part = context;
    part->glance->is_known &= lost == REDIS_OK && redis_reply_type(reply) == REDIS_TYPE_ARRAY;
    if (lost == REDIS_OK && reply_is_array_of(reply, 2))
        part->glance->last_died_at_ms = reply_number_at(reply, 1);
    end_command(part);
}

static bool send(struct glance_part *part, const char *key, const char *place, redis_done take,
                 struct error *error)
{
    const char *const command[] = {"ZRANGE", key, place, place, "WITHSCORES"};
    if (!redis_client_send(part->link->client, 5, command, NULL, take, part, error))
        return false;
    part->link->calls_open++;
    part->fan->open++;
    return true;
}

/* A broken connection is about to be told by its link, and ends what was sent. */
static void ask(struct fan *fan, struct shard *shard, struct error *error)
{
    struct glance_state *state = fan->state;
    struct store_glance *glance = &state->glances[state->count];
    struct glance_part *part = &state->parts[state->count++];
    *glance = (struct store_glance){.shard = shard->number};
    *part = (struct glance_part){.fan = fan, .link = shard->link, .glance = glance};
    if (store_is_shard_ready(fan->store, shard, error) &&
        send(part, shard->keys[SHARD_DUE], "0", take_due, error))
        (void)send(part, shard->keys[SHARD_DEAD], "-1", take_dead, error);
}

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_glance(struct store *store, unsigned first, size_t count, store_glance_done done,
                  void *context, struct error *error)
{
    assert(count > 0 && count <= GLANCE_SHARDS_MAX && count <= store->shard_count);
    AUTO(fan) *fan = fan_create(store, 0, sizeof(struct glance_state), tell, error);
    if (fan == NULL)
        return false;
    fan->context = context;
    ((struct glance_state *)fan->state)->done = done;
    for (size_t i = 0; i < count; i++)
        ask(fan, &store->shards[(first + i) % store->shard_count], error);
    if (fan->open == 0)
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}
