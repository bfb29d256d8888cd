/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/net/redis_pending.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64 };

void redis_pending_fini(struct redis_pending *pending)
{
    free(pending->ring);
    *pending = (struct redis_pending){0};
}

/* Slots are found by a mask, so that there are 0, or a power of two. */
static bool is_sound(const struct redis_pending *pending)
{
    size_t capacity = pending->capacity;
    bool is_ring = capacity == 0 ? pending->first == 0 : pending->first < capacity;
    return is_ring && (capacity & (capacity - 1)) == 0 && pending->count <= capacity;
}

bool redis_pending_reserve(struct redis_pending *pending, struct error *error)
{
    if (pending->count < pending->capacity)
        return true;
    if (pending->count >= REDIS_PENDING_MAX)
        return error_set(error, ERROR_FULL, "more than %d commands wait for Redis",
                         (int)REDIS_PENDING_MAX);
    size_t capacity = pending->capacity > 0 ? 2 * pending->capacity : CAPACITY_FIRST;
    struct redis_pending_command *ring = realloc(pending->ring, capacity * sizeof *ring);
    if (ring == NULL)
        return error_out_of_memory(error);
    /* The ring is full, so what wrapped around is everything before `first`: it moves behind the
     * old end. */
    if (pending->first > 0)
        memcpy(ring + pending->capacity, ring, pending->first * sizeof *ring);
    pending->ring = ring;
    pending->capacity = capacity;
    assert(is_sound(pending));
    return true;
}

static size_t slot(const struct redis_pending *pending, size_t offset)
{
    assert(pending->capacity > 0);
    return (pending->first + offset) & (pending->capacity - 1);
}

void redis_pending_push(struct redis_pending *pending, struct redis_pending_command command)
{
    assert(pending->count < pending->capacity);
    pending->ring[slot(pending, pending->count)] = command;
    pending->count++;
    assert(is_sound(pending));
}

bool redis_pending_pop(struct redis_pending *pending, struct redis_pending_command *out)
{
    if (pending->count == 0)
        return false;
    *out = pending->ring[pending->first];
    pending->first = slot(pending, 1);
    pending->count--;
    assert(is_sound(pending));
    return true;
}

const struct redis_pending_command *redis_pending_oldest(const struct redis_pending *pending)
{
    return pending->count > 0 ? &pending->ring[pending->first] : NULL;
}
