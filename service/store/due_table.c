/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/due_table.h"

#include <assert.h>

void due_table_init(struct due_table *table, unsigned count)
{
    assert(count > 0 && count <= SHARD_COUNT_MAX);
    table->count = count;
    atomic_init(&table->look_at_ms, INT64_MIN);
    atomic_init(&table->next_look, 0);
    for (unsigned i = 0; i < SHARD_COUNT_MAX; i++) {
        atomic_init(&table->entries[i].ask_at_ms, INT64_MIN);
        atomic_init(&table->entries[i].waiting, 0);
        atomic_init(&table->entries[i].is_paused, false);
    }
}

void due_table_lower(struct due_table *table, unsigned shard, int64_t at_ms)
{
    assert(shard < table->count);
    _Atomic int64_t *moment = &table->entries[shard].ask_at_ms;
    int64_t known_ms = atomic_load(moment);
    while (at_ms < known_ms && !atomic_compare_exchange_weak(moment, &known_ms, at_ms))
        ;
}

void due_table_lower_all(struct due_table *table, int64_t at_ms)
{
    for (unsigned i = 0; i < table->count; i++)
        due_table_lower(table, i, at_ms);
}

void due_table_note_waiting(struct due_table *table, unsigned shard, size_t waiting)
{
    assert(shard < table->count);
    atomic_store(&table->entries[shard].waiting, (int64_t)waiting);
}

void due_table_note_look(struct due_table *table, unsigned shard, bool is_something_waiting)
{
    assert(shard < table->count);
    _Atomic int64_t *waiting = &table->entries[shard].waiting;
    int64_t known = atomic_load(waiting);
    if (!is_something_waiting || known == 0)
        (void)atomic_compare_exchange_strong(waiting, &known, is_something_waiting);
}

bool due_table_has_waiting(const struct due_table *table, unsigned shard)
{
    assert(shard < table->count);
    const struct due_entry *entry = &table->entries[shard];
    return atomic_load(&entry->waiting) > 0 || atomic_load(&entry->is_paused);
}

bool due_table_note_paused(struct due_table *table, unsigned shard, bool is_paused)
{
    assert(shard < table->count);
    return atomic_exchange(&table->entries[shard].is_paused, is_paused) && !is_paused;
}

bool due_table_is_paused(const struct due_table *table, const bool is_there[])
{
    for (unsigned i = 0; i < table->count; i++)
        if (is_there[i] && atomic_load(&table->entries[i].is_paused))
            return true;
    return false;
}

size_t due_table_waiting(const struct due_table *table)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < table->count; i++)
        sum += atomic_load(&table->entries[i].waiting);
    assert(sum >= 0);
    return (size_t)sum;
}

/* The able shard whose moment is the first, by `now_ms`; table->count: none. */
static unsigned find_oldest(const struct due_table *table, const bool is_able[], int64_t now_ms,
                            int64_t *out_ms)
{
    unsigned oldest = table->count;
    *out_ms = INT64_MAX;
    for (unsigned i = 0; i < table->count; i++) {
        int64_t at_ms = atomic_load(&table->entries[i].ask_at_ms);
        if (!is_able[i] || at_ms > now_ms || at_ms >= *out_ms)
            continue;
        oldest = i;
        *out_ms = at_ms;
    }
    return oldest;
}

size_t due_table_take(struct due_table *table, const bool is_able[], int64_t now_ms, size_t max,
                      unsigned out[])
{
    size_t count = 0;
    assert(now_ms < INT64_MAX);
    while (count < max) {
        int64_t at_ms;
        unsigned oldest = find_oldest(table, is_able, now_ms, &at_ms);
        if (oldest == table->count)
            break;
        /* Else another thread was faster, or it is due even sooner. */
        if (atomic_compare_exchange_strong(&table->entries[oldest].ask_at_ms, &at_ms, INT64_MAX))
            out[count++] = oldest;
    }
    return count;
}

bool due_table_is_due(const struct due_table *table, unsigned shard, int64_t now_ms)
{
    assert(shard < table->count);
    return atomic_load(&table->entries[shard].ask_at_ms) <= now_ms;
}

int64_t due_table_next_ms(const struct due_table *table, const bool is_able[])
{
    int64_t at_ms;
    (void)find_oldest(table, is_able, INT64_MAX, &at_ms);
    return at_ms;
}

size_t due_table_take_looks(struct due_table *table, const bool is_able[], int64_t now_ms,
                            unsigned out[DUE_TABLE_LOOKS_MAX])
{
    int64_t look_at_ms = atomic_load(&table->look_at_ms);
    if (look_at_ms > now_ms || !atomic_compare_exchange_strong(&table->look_at_ms, &look_at_ms,
                                                               now_ms + DUE_TABLE_LOOK_INTERVAL_MS))
        return 0;
    size_t looks = table->count < DUE_TABLE_LOOKS_MAX ? table->count : DUE_TABLE_LOOKS_MAX;
    unsigned first = atomic_fetch_add(&table->next_look, (unsigned)looks);
    size_t count = 0;
    for (unsigned i = 0; i < looks; i++) {
        unsigned shard = (first + i) % table->count;
        if (is_able[shard])
            out[count++] = shard;
    }
    assert(count <= DUE_TABLE_LOOKS_MAX);
    return count;
}
