/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/census.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "service/store/fan.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

enum { HEAD = 6, PER_CAUSE = 3 };

static bool census_read(struct script_call *call, const struct redis_reply *reply)
{
    struct store_census *census = call->results;
    size_t length = redis_reply_length(reply);
    if (length < HEAD || (length - HEAD) / PER_CAUSE > CENSUS_CAUSES_MAX ||
        !reply_is_array_of(reply, length))
        return false;
    *census = (struct store_census){
        .due = reply_number_at(reply, 0),
        .dead = reply_number_at(reply, 1),
        .oldest_due_age_ms = reply_number_at(reply, 2),
        .paused_at_ms = reply_number_at(reply, 3),
        .causes_of = reply_number_at(reply, 4),
        .moved_to = reply_text_at(reply, 5),
        .cause_count = (length - HEAD) / PER_CAUSE,
    };
    for (size_t i = 0; i < census->cause_count; i++)
        census->causes[i] =
            (struct store_cause){.class = reply_text_at(reply, HEAD + i * PER_CAUSE),
                                 .code = reply_text_at(reply, HEAD + i * PER_CAUSE + 1),
                                 .count = reply_number_at(reply, HEAD + i * PER_CAUSE + 2)};
    return true;
}

static const struct store_census unknown = {
    .due = -1, .dead = -1, .oldest_due_age_ms = -1, .causes_of = -1, .moved_to = ""};

static void census_finish(struct script_call *call, const struct store_failure *failure)
{
    call->done.census(call->context, failure,
                      failure->status == STORE_OK ? call->results : &unknown);
}

static const struct script_call_kind census_kind = {SCRIPT_CENSUS, census_read, census_finish,
                                                    false};

static struct script_call *make(struct store *store, struct shard *shard, const void *asked,
                                struct error *error)
{
    const unsigned *look_max = asked;
    struct script_call *call =
        script_call_create(store, shard, &census_kind, 2, sizeof(struct store_census), error);
    if (call == NULL)
        return NULL;
    script_call_add_number(call, *look_max);
    script_call_add_text(call, shard->keys[SHARD_MOVE]);
    return call;
}

/* --- of many shards --- */

struct census_sum {
    struct store_census census;
    int64_t rare; /* of causes that no shard has named */
    size_t cause_count;
    struct store_cause causes[]; /* of all shards */
};

static int by_frequency(const void *a, const void *b)
{
    const struct store_cause *one = a, *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    int order = strcmp(one->class, other->class);
    return order != 0 ? order : strcmp(one->code, other->code);
}

static void add_cause(struct census_sum *sum, const struct store_cause *cause)
{
    if (cause->class[0] == '\0' && cause->code[0] == '\0') {
        sum->rare += cause->count;
        return;
    }
    for (size_t i = 0; i < sum->cause_count; i++) {
        struct store_cause *known = &sum->causes[i];
        if (strcmp(known->class, cause->class) == 0 && strcmp(known->code, cause->code) == 0) {
            known->count += cause->count;
            return;
        }
    }
    sum->causes[sum->cause_count++] = *cause;
}

static void add_census(struct census_sum *sum, const struct store_census *one)
{
    struct store_census *all = &sum->census;
    all->due += one->due;
    all->dead += one->dead;
    all->causes_of += one->causes_of;
    if (one->oldest_due_age_ms > all->oldest_due_age_ms)
        all->oldest_due_age_ms = one->oldest_due_age_ms;
    if (one->paused_at_ms > 0 && (all->paused_at_ms == 0 || one->paused_at_ms < all->paused_at_ms))
        all->paused_at_ms = one->paused_at_ms;
    if (one->moved_to[0] != '\0')
        all->moved_to = one->moved_to;
    for (size_t i = 0; i < one->cause_count; i++)
        add_cause(sum, &one->causes[i]);
}

static void name_causes(struct census_sum *sum)
{
    struct store_census *all = &sum->census;
    qsort(sum->causes, sum->cause_count, sizeof sum->causes[0], by_frequency);
    for (size_t i = 0; i < sum->cause_count; i++) {
        if (all->cause_count + 1 < CENSUS_CAUSES_MAX)
            all->causes[all->cause_count++] = sum->causes[i];
        else
            sum->rare += sum->causes[i].count;
    }
    if (sum->rare > 0)
        all->causes[all->cause_count++] =
            (struct store_cause){.class = "", .code = "", .count = sum->rare};
    assert(all->cause_count <= CENSUS_CAUSES_MAX);
}

/* Whether any has answered. */
static bool add_parts(struct fan *fan)
{
    struct census_sum *sum = fan->state;
    bool is_any_known = false;
    sum->census.moved_to = "";
    for (size_t i = 0; i < fan->count; i++) {
        if (fan->parts[i]->failure.status != STORE_OK)
            continue;
        add_census(sum, fan->parts[i]->results);
        is_any_known = true;
    }
    name_causes(sum);
    return is_any_known;
}

/* What one shard does not tell is not known of all. */
static void add_up(struct fan *fan)
{
    struct census_sum *sum = fan->state;
    bool is_known = fan->failure.status == STORE_OK && add_parts(fan);
    fan->done.census(fan->context, &fan->failure, is_known ? &sum->census : &unknown);
}

static void add_up_some(struct fan *fan)
{
    static const struct store_failure fine = {.status = STORE_OK};
    struct census_sum *sum = fan->state;
    bool is_known = add_parts(fan);
    sum->census.is_partial = fan->failure.status != STORE_OK;
    fan->done.census(fan->context, is_known ? &fine : &fan->failure,
                     is_known ? &sum->census : &unknown);
}

/* Takes the fan. */
static bool count_with(struct fan *take_fan, unsigned look_max, store_census_done done,
                       void *context, struct error *error)
{
    AUTO(fan) *fan = take_fan;
    if (fan == NULL)
        return false;
    fan->done.census = done;
    fan->context = context;
    unsigned count = fan->store->shard_count, look_each = (look_max + count - 1) / count;
    if (!fan_send_all(fan, make, &look_each, error))
        return false;
    (void)STEAL(fan); /* its last part ends it */
    return true;
}

static struct fan *create_fan(struct store *store, void (*finish)(struct fan *fan),
                              struct error *error)
{
    size_t causes_max = (size_t)store->shard_count * CENSUS_CAUSES_MAX;
    return fan_create(store, store->shard_count,
                      sizeof(struct census_sum) + causes_max * sizeof(struct store_cause), finish,
                      error);
}

static bool count_all(struct store *store, unsigned look_max, store_census_done done, void *context,
                      struct error *error)
{
    return store_are_all_ready(store, error) &&
           count_with(create_fan(store, add_up, error), look_max, done, context, error);
}

static bool count_first(struct store *store, unsigned look_max, store_census_done done,
                        void *context, struct error *error)
{
    AUTO(script_call) *call = make(store, &store->shards[0], &look_max, error);
    if (call == NULL)
        return false;
    call->done.census = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}

bool store_census(struct store *store, unsigned look_max, store_census_done done, void *context,
                  struct error *error)
{
    return store->shard_count > 1 ? count_all(store, look_max, done, context, error)
                                  : count_first(store, look_max, done, context, error);
}

bool store_census_of_some(struct store *store, store_census_done done, void *context,
                          struct error *error)
{
    return store->shard_count > 1
               ? count_with(create_fan(store, add_up_some, error), 0, done, context, error)
               : count_first(store, 0, done, context, error);
}

bool store_census_of_first(struct store *store, store_census_done done, void *context,
                           struct error *error)
{
    return count_first(store, 0, done, context, error);
}
