/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/notification/shard_rounds.h"

#include <assert.h>

#include "lib/base/clock.h"

#include "service/store/store.h"

void shard_rounds_init(struct shard_rounds *rounds, struct store *store)
{
    *rounds = (struct shard_rounds){.store = store, .all_until_ms = INT64_MIN};
}

void shard_rounds_stir(struct shard_rounds *rounds, int64_t now_ms)
{
    rounds->all_until_ms = now_ms + SHARD_ROUNDS_STIRRED_MS;
}

/* What waits may be late, or wait for a SEEK that fails: the census of all shards tells. */
static void take_glances(void *context, const struct store_glance *glances, size_t count)
{
    struct shard_rounds *rounds = context;
    bool is_news = false;
    assert(rounds->is_glancing);
    rounds->is_glancing = false;
    for (size_t i = 0; i < count; i++) {
        const struct store_glance *glance = &glances[i];
        if (!glance->is_known)
            continue;
        is_news |=
            glance->is_anything_due || glance->last_died_at_ms != rounds->died_at_ms[glance->shard];
        rounds->died_at_ms[glance->shard] = glance->last_died_at_ms;
    }
    if (is_news)
        shard_rounds_stir(rounds, clock_monotonic_ms());
}

static void glance_at_some(struct shard_rounds *rounds)
{
    struct error error; /* no node can be asked: why is told by the intake */
    unsigned count = store_shard_count(rounds->store);
    assert(count > 1);
    unsigned glances = count < GLANCE_SHARDS_MAX ? count : GLANCE_SHARDS_MAX;
    if (rounds->is_glancing)
        return;
    rounds->is_glancing =
        store_glance(rounds->store, rounds->next, glances, take_glances, rounds, &error);
    rounds->next = (rounds->next + glances) % count;
}

/* Who does not tell asks nothing but whether the lease of the first shard has ended: it would take
 * the leases of the others away from who tells. */
bool shard_rounds_begin(struct shard_rounds *rounds, bool is_urgent, int64_t now_ms)
{
    rounds->is_of_all = store_shard_count(rounds->store) == 1 || is_urgent ||
                        rounds->is_first_away || (rounds->is_ours && now_ms < rounds->all_until_ms);
    if (rounds->is_ours && !rounds->is_of_all)
        glance_at_some(rounds);
    return rounds->is_of_all;
}

bool shard_rounds_end(struct shard_rounds *rounds, bool is_answered, bool is_ours, bool is_news,
                      int64_t now_ms)
{
    rounds->is_first_away = !is_answered && !rounds->is_of_all; /* tried again after the next one */
    bool is_to_ask_all = is_ours && (is_news || !rounds->is_ours);
    rounds->is_ours = is_ours;
    if (is_to_ask_all)
        shard_rounds_stir(rounds, now_ms);
    return rounds->is_of_all || !is_to_ask_all;
}
