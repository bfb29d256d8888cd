/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whose events the spool holds: of which shards, and of which applications, among a few others.
 */
#include <string.h>

#include "lib/base/crc32c.h"

#include "service/spool/spool_internal.h"

unsigned spool_shard_count(const struct spool *spool)
{
    unsigned count = spool->options.store.shard_count;
    return count > 0 ? count : 1;
}

unsigned spool_shard_in(const struct spool *spool, const char *application_id)
{
    return shard_of(application_id, spool_shard_count(spool));
}

static size_t likeness(const char *application_id)
{
    return crc32c(0, application_id, strlen(application_id)) % SPOOL_LIKE_COUNT;
}

bool spool_is_holding_for(const struct spool *spool, const char *application_id)
{
    return atomic_load(&spool->is_holding) &&
           (application_id == NULL || atomic_load(&spool->is_holding_unknown) ||
            (atomic_load(&spool->held[spool_shard_in(spool, application_id)]) > 0 &&
             atomic_load(&spool->held_like[likeness(application_id)]) > 0));
}

void spool_hold(struct spool *spool, const struct drain_record *record)
{
    atomic_fetch_add(&spool->held[spool_shard_in(spool, record->application_id)], 1);
    atomic_fetch_add(&spool->held_like[likeness(record->application_id)], 1);
}

static void lower(_Atomic uint32_t *held)
{
    if (atomic_load(held) > 0) /* the spool's thread alone writes it */
        atomic_fetch_sub(held, 1);
}

void spool_let_go(struct spool *spool, const struct drain_record *record)
{
    lower(&spool->held[spool_shard_in(spool, record->application_id)]);
    lower(&spool->held_like[likeness(record->application_id)]);
}

void spool_let_all_go(struct spool *spool)
{
    for (unsigned i = 0; i < SHARD_COUNT_MAX; i++)
        atomic_store(&spool->held[i], 0);
    for (unsigned i = 0; i < SPOOL_LIKE_COUNT; i++)
        atomic_store(&spool->held_like[i], 0);
}
