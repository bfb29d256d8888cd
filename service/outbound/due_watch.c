/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/due_watch.h"

void due_watch_init(struct due_watch *watch)
{
    atomic_init(&watch->ask_at_ms, INT64_MIN);
    atomic_init(&watch->keeper, DUE_WATCH_NOBODY);
}

bool due_watch_lower(struct due_watch *watch, int64_t at_ms)
{
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    while (at_ms < ask_at_ms) {
        if (atomic_compare_exchange_weak(&watch->ask_at_ms, &ask_at_ms, at_ms))
            return true;
    }
    return false;
}

int due_watch_keeper(const struct due_watch *watch)
{
    return atomic_load(&watch->keeper);
}

static int64_t patience_of(const struct due_watch *watch, int worker, int64_t patience_ms)
{
    int keeper = due_watch_keeper(watch);
    return keeper == worker || keeper == DUE_WATCH_NOBODY ? 0 : patience_ms;
}

bool due_watch_take(struct due_watch *watch, int worker, int64_t patience_ms, int64_t now_ms)
{
    int64_t latest_ms = now_ms - patience_of(watch, worker, patience_ms);
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    while (ask_at_ms <= latest_ms) {
        if (atomic_compare_exchange_weak(&watch->ask_at_ms, &ask_at_ms,
                                         now_ms + DUE_WATCH_INTERVAL_MS)) {
            atomic_store(&watch->keeper, worker);
            return true;
        }
    }
    return false;
}

int64_t due_watch_wait_ms(const struct due_watch *watch, int worker, int64_t patience_ms,
                          int64_t now_ms)
{
    int64_t latest_ms = now_ms - patience_of(watch, worker, patience_ms);
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    return ask_at_ms > latest_ms ? ask_at_ms - latest_ms : 0;
}

bool due_watch_give_back(struct due_watch *watch, int worker)
{
    return atomic_compare_exchange_strong(&watch->keeper, &worker, DUE_WATCH_NOBODY);
}
