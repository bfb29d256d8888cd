/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/due_watch.h"

void due_watch_init(struct due_watch *watch)
{
    atomic_init(&watch->ask_at_ms, INT64_MIN);
}

bool due_watch_take(struct due_watch *watch, int64_t now_ms)
{
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    while (ask_at_ms <= now_ms) {
        if (atomic_compare_exchange_weak(&watch->ask_at_ms, &ask_at_ms,
                                         now_ms + DUE_WATCH_INTERVAL_MS))
            return true;
    }
    return false;
}

void due_watch_lower(struct due_watch *watch, int64_t at_ms)
{
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    while (at_ms < ask_at_ms) {
        if (atomic_compare_exchange_weak(&watch->ask_at_ms, &ask_at_ms, at_ms))
            return;
    }
}

int64_t due_watch_wait_ms(const struct due_watch *watch, int64_t now_ms)
{
    int64_t ask_at_ms = atomic_load(&watch->ask_at_ms);
    return ask_at_ms > now_ms ? ask_at_ms - now_ms : 0;
}
