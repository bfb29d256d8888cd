/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/census.h"

#include "service/inbound/inbound_metrics.h"
#include "service/store/store.h"

enum { TROUBLE_MS = 1000 };

void census_init(struct census *census, struct store *store, struct inbound_metrics *metrics)
{
    *census = (struct census){.store = store, .metrics = metrics};
}

void census_ask(struct census *census, int64_t now_ms)
{
    atomic_store_explicit(&census->asked_until_ms, now_ms + CENSUS_ASKED_FOR_MS,
                          memory_order_relaxed);
}

static void publish(struct census *census, const struct store_census *found)
{
    struct inbound_metrics *metrics = census->metrics;
    metric_set(&metrics->due, found->due);
    metric_set(&metrics->dead, found->dead);
    metric_set(&metrics->oldest_due_age, found->oldest_due_age_ms);
    metric_set(&metrics->paused, found->paused_at_ms > 0);
    census->is_known = true;
}

static void withdraw(struct census *census)
{
    struct inbound_metrics *metrics = census->metrics;
    metric_set(&metrics->due, METRIC_UNKNOWN);
    metric_set(&metrics->dead, METRIC_UNKNOWN);
    metric_set(&metrics->oldest_due_age, METRIC_UNKNOWN);
    metric_set(&metrics->paused, METRIC_UNKNOWN);
    census->is_known = false;
}

static void take(void *context, const struct store_failure *failure,
                 const struct store_census *found)
{
    struct census *census = context;
    census->is_under_way = false;
    if (failure->status == STORE_OK)
        publish(census, found);
    else
        withdraw(census);
}

static void start(struct census *census, int64_t now_ms)
{
    struct error error; /* why Redis is away is told by the store, once */
    census->is_under_way = store_census(census->store, take, census, &error);
    census->next_at_ms = now_ms + (census->is_under_way ? CENSUS_INTERVAL_MS : TROUBLE_MS);
    if (!census->is_under_way)
        withdraw(census);
}

void census_turn(struct census *census, int64_t now_ms)
{
    bool is_asked = now_ms < atomic_load_explicit(&census->asked_until_ms, memory_order_relaxed);
    if (is_asked && !census->is_under_way && now_ms >= census->next_at_ms)
        start(census, now_ms);
    else if (!is_asked && census->is_known)
        withdraw(census);
}
