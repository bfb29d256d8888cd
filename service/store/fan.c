/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/fan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct fan *fan_create(struct store *store, size_t parts_max, size_t state_bytes,
                       void (*finish)(struct fan *fan), struct error *error)
{
    struct fan *fan = calloc(1, sizeof *fan + parts_max * sizeof(struct script_call *));
    void *state = calloc(1, state_bytes > 0 ? state_bytes : 1);
    if (fan == NULL || state == NULL) {
        free(fan);
        free(state);
        (void)error_out_of_memory(error);
        return NULL;
    }
    fan->store = store;
    fan->finish = finish;
    fan->state = state;
    fan->count_max = parts_max;
    return fan;
}

void fan_destroy(struct fan *fan)
{
    if (fan == NULL)
        return;
    assert(fan->open == 0);
    for (size_t i = 0; i < fan->count; i++)
        script_call_destroy(fan->parts[i]);
    free(fan->state);
    free(fan);
}

static void note_failure(struct fan *fan, const struct store_failure *failure)
{
    if (fan->failure.status == STORE_OK && failure->status != STORE_OK)
        fan->failure = *failure;
}

void fan_note_unsent(struct fan *fan, const struct error *error)
{
    struct store_failure failure = {.status = STORE_REFUSED};
    (void)snprintf(failure.detail, sizeof failure.detail, "%.*s", (int)sizeof failure.detail - 1,
                   error->message);
    note_failure(fan, &failure);
}

static void end_part(struct script_call *call)
{
    fan_note_end(call->fan, &call->failure);
}

bool fan_send(struct fan *fan, struct script_call *take_call, struct error *error)
{
    assert(fan->count < fan->count_max && take_call->fan == NULL);
    struct script_call *call = take_call;
    call->fan = fan;
    call->ended = end_part;
    if (!script_call_send(take_call, error)) {
        fan_note_unsent(fan, error);
        return false;
    }
    fan->parts[fan->count++] = call;
    fan->open++;
    return true;
}

bool fan_send_all(struct fan *fan,
                  struct script_call *(*make)(struct store *store, struct shard *shard,
                                              const void *asked, struct error *error),
                  const void *asked, struct error *error)
{
    struct store *store = fan->store;
    assert(fan->count_max >= store->shard_count);
    for (unsigned i = 0; i < store->shard_count; i++) {
        struct script_call *call = make(store, &store->shards[i], asked, error);
        if (call == NULL)
            fan_note_unsent(fan, error);
        else
            (void)fan_send(fan, call, error); /* noted */
    }
    return fan->count > 0;
}

void fan_note_end(struct fan *fan, const struct store_failure *failure)
{
    assert(fan->open > 0);
    note_failure(fan, failure);
    if (--fan->open > 0)
        return;
    fan->finish(fan);
    fan_destroy(fan);
}

size_t fan_sort(struct store *store, const char *(*id_of)(const void *items, size_t place),
                const void *items, size_t count, size_t places[], struct fan_piece pieces[])
{
    size_t counts[SHARD_COUNT_MAX] = {0}, next[SHARD_COUNT_MAX], piece_count = 0, first = 0;
    assert(count > 0);
    for (size_t i = 0; i < count; i++)
        counts[shard_of(id_of(items, i), store->shard_count)]++;
    for (unsigned shard = 0; shard < store->shard_count; shard++) {
        next[shard] = first;
        if (counts[shard] > 0)
            pieces[piece_count++] =
                (struct fan_piece){&store->shards[shard], places + first, counts[shard]};
        first += counts[shard];
    }
    assert(first == count);
    for (size_t i = 0; i < count; i++)
        places[next[shard_of(id_of(items, i), store->shard_count)]++] = i;
    return piece_count;
}

bool fan_send_items(struct fan *fan, const struct fan_items *items, size_t places[],
                    size_t firsts[], struct error *error)
{
    struct fan_piece pieces[SHARD_COUNT_MAX];
    size_t piece_count =
        fan_sort(fan->store, items->id_of, items->items, items->count, places, pieces);
    for (size_t i = 0; i < piece_count; i++) {
        const struct fan_piece *piece = &pieces[i];
        firsts[fan->count] = (size_t)(piece->places - places);
        struct script_call *call =
            items->make(fan->store, piece->shard, items->items, piece->places, piece->count, error);
        if (call == NULL)
            fan_note_unsent(fan, error);
        else
            (void)fan_send(fan, call, error); /* noted */
    }
    return fan->count > 0;
}
