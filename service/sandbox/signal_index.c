/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/signal_index.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 256 };

void signal_index_init(struct signal_index *index)
{
    *index = (struct signal_index){.signals = NULL};
}

void signal_index_fini(struct signal_index *index)
{
    free(index->signals);
    free(index->slots);
    signal_index_init(index);
}

/* FNV-1a. */
static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return value ^ (value >> 32);
}

/* The slot of the seek-token, or the free one where it belongs. */
static size_t find_slot(const struct signal_index *index, const char *seek_token)
{
    size_t mask = index->slot_count - 1;
    for (size_t slot = (size_t)hash(seek_token) & mask;; slot = (slot + 1) & mask) {
        uint32_t position = index->slots[slot];
        if (position == 0 ||
            strcmp(call_text(index->signals[position - 1].first, CALL_SEEK_TOKEN), seek_token) == 0)
            return slot;
    }
}

static bool grow(struct signal_index *index, struct error *error)
{
    size_t capacity = index->capacity == 0 ? CAPACITY_FIRST : 2 * index->capacity;
    struct taken_signal *signals = realloc(index->signals, capacity * sizeof *signals);
    if (signals == NULL)
        return error_out_of_memory(error);
    index->signals = signals;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (slots == NULL)
        return error_out_of_memory(error);
    free(index->slots);
    index->slots = slots;
    index->slot_count = 2 * capacity;
    index->capacity = capacity;
    for (size_t i = 0; i < index->count; i++) {
        const char *seek_token = call_text(index->signals[i].first, CALL_SEEK_TOKEN);
        index->slots[find_slot(index, seek_token)] = (uint32_t)i + 1;
    }
    return true;
}

static void extend(struct taken_signal *signal, struct sandbox_call *call)
{
    signal->last->next_delivery = call;
    signal->last = call;
    signal->count++;
}

bool signal_index_add(struct signal_index *index, struct sandbox_call *call, struct error *error)
{
    if (index->count == index->capacity && !grow(index, error))
        return false;
    size_t slot = find_slot(index, call_text(call, CALL_SEEK_TOKEN));
    if (index->slots[slot] != 0) {
        extend(&index->signals[index->slots[slot] - 1], call);
        return true;
    }
    index->signals[index->count] = (struct taken_signal){.first = call, .last = call, .count = 1};
    index->slots[slot] = (uint32_t)++index->count;
    return true;
}

const struct taken_signal *signal_index_find(const struct signal_index *index,
                                             const char *seek_token)
{
    if (index->slot_count == 0)
        return NULL;
    uint32_t position = index->slots[find_slot(index, seek_token)];
    return position == 0 ? NULL : &index->signals[position - 1];
}
