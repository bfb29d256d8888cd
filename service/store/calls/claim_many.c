/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Claimed is where something is known to be due, the oldest first, SHARDS_MAX at a time, each with
 * its part of the limit; and where the answer to the last claim was lost, which gives back what
 * that took. What nobody here knows of, since another process has put it there and is gone, is
 * found by looks, which are plain commands and go out with the claims: see due_table.h. Where
 * nothing is known to be due one shard is claimed from all the same, by turns: only a claim repairs
 * what a clock that was set back has moved, and tells that sending is paused. Where nothing waits
 * either that is done now and then, and looks go out alone.
 */
#include <assert.h>

#include "lib/base/clock.h"

#include "service/store/calls/claim_call.h"
#include "service/store/fan.h"
#include "service/store/reply.h"

enum { SHARDS_MAX = 8, LOST_MS = 100, IDLE_CLAIM_MS = 8000 };

struct claim_state {
    struct claim_result result;
    struct claim_damage *damaged; /* behind the claims */
    bool is_able[SHARD_COUNT_MAX];
    struct claim_look {
        struct fan *fan;
        struct shard *shard;
        struct store_link *link; /* that it was sent to */
    } looks[DUE_TABLE_LOOKS_MAX];
    size_t look_count;
    struct claim claims[];
};

static void add_part(struct claim_state *state, const struct claim_result *part)
{
    struct claim_result *all = &state->result;
    for (size_t i = 0; i < part->count; i++)
        state->claims[all->count++] = part->claims[i];
    for (size_t i = 0; i < part->damaged_count; i++)
        state->damaged[all->damaged_count++] = part->damaged[i];
    assert(all->claims == NULL); /* they are named once all are there */
    all->repaired_count += part->repaired_count;
}

/* What the answer says of when to ask again. A lost one: soon, since that gives back what it took.
 */
static void note_next(const struct script_call *call, int64_t now_ms)
{
    const struct claim_results *results = call->results;
    const struct claim_result *result = &results->result;
    struct due_table *due = call->store->due;
    unsigned shard = call->shard->number;
    if (call->failure.status != STORE_OK) {
        due_table_lower(due, shard, now_ms + LOST_MS);
        return;
    }
    due_table_note_waiting(due, shard, result->due_count);
    if (due_table_note_paused(due, shard, result->is_paused))
        due_table_lower_all(due, now_ms); /* the others probably go on, too */
    if (result->next_due_in_ms >= 0)
        due_table_lower(due, shard, now_ms + result->next_due_in_ms);
}

static bool is_ready(const struct store *store, unsigned shard)
{
    return store_is_shard_ready(store, &store->shards[shard], NULL);
}

static void note_able(const struct store *store, bool is_able[])
{
    for (unsigned i = 0; i < store->shard_count; i++)
        is_able[i] = is_ready(store, i) && !store->shards[i].claims.is_held;
}

static bool is_paused(const struct store *store)
{
    bool is_there[SHARD_COUNT_MAX];
    for (unsigned i = 0; i < store->shard_count; i++)
        is_there[i] = is_ready(store, i);
    return due_table_is_paused(store->due, is_there);
}

static void merge_claims(struct fan *fan)
{
    struct claim_state *state = fan->state;
    struct store *store = fan->store;
    int64_t now_ms = clock_monotonic_ms();
    bool is_any_done = fan->count == 0; /* looks alone */
    for (size_t i = 0; i < fan->count; i++) {
        const struct script_call *part = fan->parts[i];
        const struct claim_results *results = part->results;
        claim_note_end(part, &part->failure);
        note_next(part, now_ms);
        if (part->failure.status == STORE_OK)
            add_part(state, &results->result);
        is_any_done |= part->failure.status == STORE_OK;
    }
    note_able(store, state->is_able);
    int64_t next_ms = due_table_next_ms(store->due, state->is_able);
    state->result.claims = state->claims;
    state->result.damaged = state->damaged;
    state->result.due_count = due_table_waiting(store->due);
    state->result.is_paused = is_paused(store);
    state->result.next_due_in_ms = next_ms == INT64_MAX ? -1
                                   : next_ms > now_ms   ? next_ms - now_ms
                                                        : 0;
    static const struct store_failure fine = {.status = STORE_OK};
    static const struct claim_result nothing = {.next_due_in_ms = -1};
    fan->done.claim(fan->context, is_any_done ? &fine : &fan->failure,
                    is_any_done ? &state->result : &nothing);
}

/* The first entry of `due`, with its time by Redis's clock. */
static void looked(void *context, enum redis_failure lost, const struct redis_reply *reply)
{
    static const struct store_failure fine = {.status = STORE_OK};
    const struct claim_look *look = context;
    struct store_link *link = look->link;
    assert(link->calls_open > 0);
    link->calls_open--;
    struct due_table *due = look->fan->store->due;
    bool is_known = lost == REDIS_OK && redis_reply_type(reply) == REDIS_TYPE_ARRAY;
    if (is_known)
        due_table_note_look(due, look->shard->number, redis_reply_length(reply) > 0);
    if (is_known && link->is_clock_known && reply_is_array_of(reply, 2))
        due_table_lower(due, look->shard->number, reply_number_at(reply, 1) - link->clock_ahead_ms);
    fan_note_end(look->fan, &fine); /* what is amiss shows in the next claim */
}

static void send_looks(struct fan *fan, int64_t now_ms)
{
    struct claim_state *state = fan->state;
    struct store *store = fan->store;
    unsigned shards[DUE_TABLE_LOOKS_MAX];
    size_t count = due_table_take_looks(store->due, state->is_able, now_ms, shards);
    for (size_t i = 0; i < count; i++) {
        struct shard *shard = &store->shards[shards[i]];
        struct claim_look *look = &state->looks[state->look_count];
        const char *const command[] = {"ZRANGE", shard->keys[SHARD_DUE], "0", "0", "WITHSCORES"};
        *look = (struct claim_look){.fan = fan, .shard = shard, .link = shard->link};
        struct error error; /* the connection has just broken, as its link is about to tell */
        if (!redis_client_send(shard->link->client, 5, command, NULL, looked, look, &error))
            continue;
        state->look_count++;
        look->link->calls_open++;
        fan->open++;
    }
}

/* Of the first claims those whose answer nobody has: they may have taken something. */
static size_t choose_unanswered(const struct store *store, bool is_able[], unsigned out[])
{
    size_t count = 0;
    for (unsigned i = 0; i < store->shard_count; i++) {
        const struct shard_claims *claims = &store->shards[i].claims;
        if (!is_ready(store, i) || claims->answered == claims->number)
            continue;
        out[count++] = i;
        is_able[i] = false; /* so that it is not chosen twice */
    }
    return count;
}

/* By turns, of those where something waits, or of all. */
static size_t choose_next(struct store *store, const bool is_able[], bool is_any, unsigned out[])
{
    for (unsigned i = 0; i < store->shard_count; i++) {
        unsigned shard = store->next_shard++ % store->shard_count;
        if (!is_able[shard] || !(is_any || due_table_has_waiting(store->due, shard)))
            continue;
        out[0] = shard;
        return 1;
    }
    return 0;
}

/* None: looks are enough. */
static size_t choose_idle(struct store *store, const bool is_able[], int64_t now_ms, unsigned out[])
{
    size_t count = choose_next(store, is_able, false, out);
    if (count > 0 || now_ms < store->idle_claim_at_ms)
        return count;
    store->idle_claim_at_ms = now_ms + IDLE_CLAIM_MS;
    return choose_next(store, is_able, true, out);
}

static size_t choose(struct store *store, size_t limit, int64_t now_ms, unsigned out[])
{
    bool is_able[SHARD_COUNT_MAX];
    note_able(store, is_able);
    for (unsigned i = 0; limit == 0 && i < store->shard_count; i++)
        is_able[i] = is_ready(store, i); /* nothing is taken from any */
    size_t count = choose_unanswered(store, is_able, out);
    size_t most = limit < SHARDS_MAX ? limit : SHARDS_MAX;
    if (count < most)
        count += due_table_take(store->due, is_able, now_ms, most - count, out + count);
    assert(count <= store->shard_count);
    return count > 0 ? count : choose_idle(store, is_able, now_ms, out);
}

static struct fan *create_fan(struct store *store, size_t limit, size_t parts, struct error *error)
{
    size_t damaged_max = limit + CLAIM_REPAIRED_MAX * parts;
    struct fan *fan = fan_create(store, parts,
                                 sizeof(struct claim_state) + limit * sizeof(struct claim) +
                                     damaged_max * sizeof(struct claim_damage),
                                 merge_claims, error);
    if (fan == NULL)
        return NULL;
    struct claim_state *state = fan->state;
    state->damaged = (struct claim_damage *)(void *)(state->claims + limit);
    note_able(store, state->is_able);
    return fan;
}

static void send_claims(struct fan *fan, const unsigned shards[], size_t count, size_t limit,
                        struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct shard *shard = &fan->store->shards[shards[i]];
        size_t share = shard->claims.is_held ? 0 : limit / count + (i < limit % count ? 1 : 0);
        struct script_call *call = claim_make(fan->store, shard, share, error);
        if (call != NULL && fan_send(fan, call, error))
            claim_note_sent(shard);
        else
            store_note_due(fan->store, shard, clock_monotonic_ms() + LOST_MS);
    }
}

/* What is to be asked where no claim could be sent. */
static void keep_due(struct store *store, const unsigned shards[], size_t count, int64_t now_ms)
{
    for (size_t i = 0; i < count; i++)
        store_note_due(store, &store->shards[shards[i]], now_ms + LOST_MS);
}

bool claim_from_many(struct store *store, size_t limit, store_claim_done done, void *context,
                     struct error *error)
{
    unsigned shards[SHARD_COUNT_MAX];
    int64_t now_ms = clock_monotonic_ms();
    size_t count = choose(store, limit, now_ms, shards);
    AUTO(fan) *fan = create_fan(store, limit, count > 0 ? count : 1, error);
    if (fan == NULL) {
        keep_due(store, shards, count, now_ms);
        return false;
    }
    const struct claim_state *state = fan->state;
    fan->done.claim = done;
    fan->context = context;
    send_claims(fan, shards, count, limit, error);
    send_looks(fan, now_ms);
    if (count == 0 && fan->open == 0) { /* it is not yet time for looks */
        count = choose_next(store, state->is_able, true, shards);
        if (count == 0) {
            (void)!store_are_all_ready(store, error); /* for its reason: none is */
            return false;
        }
        send_claims(fan, shards, count, limit, error);
    }
    if (fan->open == 0) {
        keep_due(store, shards, count, now_ms);
        return false;
    }
    (void)STEAL(fan); /* its last part ends it */
    return true;
}
