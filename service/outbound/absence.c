/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/absence.h"

#include <assert.h>

#include "lib/base/clock.h"

#include "service/store/store.h"

static void note(struct absence *absence, unsigned shard, bool is_there, int64_t now_ms)
{
    int64_t *since_ms = &absence->shards[shard].since_ms;
    int64_t *left_ms = &absence->shards[shard].left_ms;
    bool was_there = *since_ms == 0;
    if (was_there && *left_ms > 0) {
        int64_t passed_ms = now_ms - absence->turned_at_ms;
        *left_ms = passed_ms < *left_ms ? *left_ms - passed_ms : 0;
    }
    if (!was_there && is_there && now_ms - *since_ms >= ABSENCE_MIN_MS && *left_ms == 0)
        *left_ms = ABSENCE_RECORDING_MS + ABSENCE_CLAIMING_MS;
    if (is_there)
        *since_ms = 0;
    else if (was_there)
        *since_ms = now_ms;
}

void absence_turn(struct absence *absence, const struct store *store, int64_t now_ms)
{
    assert(now_ms >= absence->turned_at_ms);
    for (unsigned i = 0; i < store_shard_count(store); i++)
        note(absence, i, store_takes_events_for(store, i, NULL), now_ms);
    absence->turned_at_ms = now_ms;
}

static int64_t yielded_for_ms(const struct absence *absence, unsigned shard)
{
    return absence->shards[shard].left_ms - ABSENCE_CLAIMING_MS;
}

bool absence_is_yielded(const struct absence *absence, unsigned shard)
{
    return yielded_for_ms(absence, shard) > 0;
}

int64_t absence_wait_ms(const struct absence *absence, unsigned shard_count)
{
    for (unsigned i = 0; i < shard_count; i++)
        if (absence->shards[i].since_ms == 0 && !absence_is_yielded(absence, i))
            return 0;
    int64_t wait_ms = absence_timeout_ms(absence, shard_count);
    return wait_ms > 0 ? wait_ms : 0;
}

int64_t absence_timeout_ms(const struct absence *absence, unsigned shard_count)
{
    int64_t timeout_ms = -1;
    for (unsigned i = 0; i < shard_count; i++)
        if (absence->shards[i].since_ms == 0 && absence_is_yielded(absence, i))
            timeout_ms = clock_sooner_ms(timeout_ms, yielded_for_ms(absence, i));
    return timeout_ms;
}
