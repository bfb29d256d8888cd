/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/spool/spool_rest.h"

#include <assert.h>
#include <string.h>

#include "lib/base/array.h"

void shard_set_add(struct shard_set *set, unsigned shard)
{
    assert(shard < SHARD_COUNT_MAX);
    set->words[shard / 64] |= UINT64_C(1) << shard % 64;
}

bool shard_set_has(const struct shard_set *set, unsigned shard)
{
    assert(shard < SHARD_COUNT_MAX);
    return (set->words[shard / 64] >> shard % 64 & 1) != 0;
}

bool spool_rest_is_some(const struct spool_rest *rest)
{
    static const struct shard_set none;
    return memcmp(&rest->shards, &none, sizeof none) != 0;
}

/* Its place, or that of the next one. */
static size_t place_of(const struct spool_rests *rests, uint64_t segment)
{
    size_t first = 0, end = rests->count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (rests->items[middle].segment < segment)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

struct spool_rest *spool_rests_find(const struct spool_rests *rests, uint64_t segment)
{
    size_t place = place_of(rests, segment);
    bool is_there = place < rests->count && rests->items[place].segment == segment;
    return is_there ? &rests->items[place] : NULL;
}

void spool_rests_forget(struct spool_rests *rests, uint64_t segment)
{
    struct spool_rest *rest = spool_rests_find(rests, segment);
    if (rest == NULL)
        return;
    rests->count--;
    memmove(rest, rest + 1, (size_t)(rests->items + rests->count - rest) * sizeof *rest);
}

void spool_rests_remember(struct spool_rests *rests, const struct spool_rest *rest)
{
    struct spool_rest *known = spool_rests_find(rests, rest->segment);
    if (known != NULL) {
        *known = *rest;
        return;
    }
    struct spool_rest *items =
        array_reserve(rests->items, &rests->capacity, rests->count + 1, sizeof *items);
    if (items == NULL)
        return;
    rests->items = items;
    size_t place = place_of(rests, rest->segment);
    memmove(items + place + 1, items + place, (rests->count - place) * sizeof *items);
    items[place] = *rest;
    rests->count++;
}
