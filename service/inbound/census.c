/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/census.h"

#include <assert.h>

#include "service/inbound/inbound_metrics.h"
#include "service/store/store.h"

enum { RETRY_MS = 1000, SHARDS_EASY = 8 };

bool census_ask(struct census *census, int64_t now_ms)
{
    return atomic_exchange(&census->asked_until_ms, now_ms + CENSUS_ASKED_FOR_MS) <= now_ms;
}

static void publish(struct census *census, const struct store_census *found)
{
    assert(!census->is_under_way);
    struct metric *metrics = census->metrics;
    metric_set(&metrics[INBOUND_DUE], found->due);
    metric_set(&metrics[INBOUND_DEAD], found->dead);
    metric_set(&metrics[INBOUND_OLDEST_DUE_AGE], found->oldest_due_age_ms);
    metric_set(&metrics[INBOUND_PAUSED], found->paused_at_ms > 0);
    metric_set(&metrics[INBOUND_CENSUS_KNOWN], 1);
    census->is_known = true;
}

static void withdraw(struct census *census)
{
    static const enum inbound_metric unknown[] = {INBOUND_DUE, INBOUND_DEAD, INBOUND_OLDEST_DUE_AGE,
                                                  INBOUND_PAUSED};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        metric_set(&census->metrics[unknown[i]], METRIC_UNKNOWN);
    metric_set(&census->metrics[INBOUND_CENSUS_KNOWN], 0);
    census->is_known = false;
}

void census_init(struct census *census, struct store *store, struct metric *metrics)
{
    *census = (struct census){.store = store, .metrics = metrics};
    withdraw(census);
}

static void take(void *context, const struct store_failure *failure,
                 const struct store_census *found)
{
    struct census *census = context;
    assert(census->is_under_way);
    census->is_under_way = false;
    if (failure->status == STORE_OK)
        publish(census, found);
    else
        withdraw(census);
}

/* A census asks each shard: of many it is taken less often, so that it costs Redis about the same.
 */
static int64_t interval_ms(const struct census *census)
{
    return CENSUS_INTERVAL_MS * (1 + (int64_t)store_shard_count(census->store) / SHARDS_EASY);
}

static void start(struct census *census, int64_t now_ms)
{
    assert(!census->is_under_way && now_ms >= census->next_at_ms);
    struct error error; /* why Redis is away is told by the store, once */
    census->is_under_way = store_census(census->store, 0, take, census, &error);
    census->next_at_ms = now_ms + (census->is_under_way ? interval_ms(census) : RETRY_MS);
    if (!census->is_under_way)
        withdraw(census);
}

int64_t census_timeout_ms(const struct census *census, int64_t now_ms)
{
    int64_t asked_until_ms = atomic_load(&census->asked_until_ms);
    bool is_asked = now_ms < asked_until_ms;
    if (is_asked ? census->is_under_way : !census->is_known)
        return -1; /* until the answer; until somebody asks */
    int64_t at_ms = is_asked ? census->next_at_ms : asked_until_ms;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

void census_turn(struct census *census, int64_t now_ms)
{
    bool is_asked = now_ms < atomic_load(&census->asked_until_ms);
    if (is_asked && !census->is_under_way && now_ms >= census->next_at_ms)
        start(census, now_ms);
    else if (!is_asked && census->is_known)
        withdraw(census);
}
