/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/claim.h"

#include <assert.h>

#include "service/store/calls/claim_call.h"

bool store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                 struct error *error)
{
    if (store->shard_count > 1)
        return claim_from_many(store, limit, done, context, error);
    AUTO(script_call) *call = claim_make(store, &store->shards[0], limit, error);
    if (call == NULL)
        return false;
    call->done.claim = done;
    call->context = context;
    if (!script_call_send(STEAL(call), error))
        return false;
    claim_note_sent(&store->shards[0]);
    return true;
}

bool store_hold_claims(struct store *store, unsigned shard, bool is_held)
{
    assert(shard < store->shard_count);
    bool was_held = store->shards[shard].claims.is_held;
    store->shards[shard].claims.is_held = is_held;
    return was_held && !is_held;
}
