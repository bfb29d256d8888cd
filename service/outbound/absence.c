/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/outbound/absence.h"

#include "service/store/store.h"

static bool note(int64_t *since_ms, bool is_there, int64_t now_ms)
{
    bool was_long = is_there && *since_ms != 0 && now_ms - *since_ms >= ABSENCE_MIN_MS;
    if (is_there)
        *since_ms = 0;
    else if (*since_ms == 0)
        *since_ms = now_ms;
    return was_long;
}

bool absence_turn(struct absence *absence, const struct store *store, int64_t now_ms)
{
    bool is_any_back = false;
    for (unsigned i = 0; i < store_shard_count(store); i++)
        is_any_back |= note(&absence->since_ms[i], store_takes_events_for(store, i, NULL), now_ms);
    return is_any_back;
}
