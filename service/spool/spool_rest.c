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

void spool_rest_clear(struct spool_rest *rest)
{
    for (unsigned i = 0; i < SHARD_COUNT_MAX; i++)
        rest->firsts[i] = SPOOL_REST_DONE;
    rest->oldest_us = 0;
}

void spool_rest_add(struct spool_rest *rest, unsigned shard, size_t offset, int64_t stamp_us)
{
    assert(shard < SHARD_COUNT_MAX);
    if (rest->oldest_us == 0 || stamp_us < rest->oldest_us)
        rest->oldest_us = stamp_us;
    if (offset < rest->firsts[shard])
        rest->firsts[shard] = offset;
}

bool spool_rest_has(const struct spool_rest *rest, unsigned shard)
{
    assert(shard < SHARD_COUNT_MAX);
    return rest->firsts[shard] != SPOOL_REST_DONE;
}

size_t spool_rest_first(const struct spool_rest *rest)
{
    size_t first = SPOOL_REST_DONE;
    for (unsigned i = 0; i < SHARD_COUNT_MAX; i++)
        if (rest->firsts[i] < first)
            first = rest->firsts[i];
    return first;
}

bool spool_rest_is_some(const struct spool_rest *rest)
{
    return spool_rest_first(rest) != SPOOL_REST_DONE;
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

bool spool_rests_reserve(struct spool_rests *rests, struct error *error)
{
    struct spool_rest *items =
        array_reserve(rests->items, &rests->capacity, rests->count + 1, sizeof *items);
    if (items == NULL)
        return error_out_of_memory(error);
    rests->items = items;
    return true;
}

void spool_rests_remember(struct spool_rests *rests, const struct spool_rest *rest)
{
    struct spool_rest *known = spool_rests_find(rests, rest->segment);
    if (known != NULL) {
        *known = *rest;
        return;
    }
    assert(rests->count < rests->capacity);
    size_t place = place_of(rests, rest->segment);
    memmove(rests->items + place + 1, rests->items + place,
            (rests->count - place) * sizeof *rests->items);
    rests->items[place] = *rest;
    rests->count++;
}
