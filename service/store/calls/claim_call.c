/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/claim_call.h"

#include <assert.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/domain/upstream_reply.h"
#include "service/store/event_id.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

enum {
    ARGUMENTS = 7,
    CLAIM_HEAD =
        7 /* next due, due count, leases expired, is paused, repaired, Redis's clock, damaged */
};

enum claim_field { /* as claim.lua returns them, per claim */
                   CLAIM_ID,
                   CLAIM_TOKEN,
                   CLAIM_EVENT,
                   CLAIM_TRACE,
                   CLAIM_GENERATION,
                   CLAIM_ATTEMPT,
                   CLAIM_COMPLETED,
                   CLAIM_AGE,
                   CLAIM_CLASS,
                   CLAIM_IS_EXPIRED,
                   CLAIM_FIELDS,
};

static bool read_claim(const struct redis_reply *reply, size_t first, struct claim *out,
                       char event_id[ATTEMPT_ID_BYTES])
{
    assert(first + CLAIM_FIELDS <= redis_reply_length(reply));
    size_t length;
    const char *stored = redis_reply_text(redis_reply_item(reply, first + CLAIM_EVENT), &length);
    event_id_read(stored, length, event_id);
    *out = (struct claim){
        .application_id = reply_text_at(reply, first + CLAIM_ID),
        .seek_token = reply_text_at(reply, first + CLAIM_TOKEN),
        .event_id = event_id,
        .traceparent = reply_text_at(reply, first + CLAIM_TRACE),
        .generation = (uint64_t)reply_number_at(reply, first + CLAIM_GENERATION),
        .attempt = (unsigned)reply_number_at(reply, first + CLAIM_ATTEMPT),
        .completed_at_ms = reply_number_at(reply, first + CLAIM_COMPLETED),
        .age_ms = reply_number_at(reply, first + CLAIM_AGE),
        .was_auth_before = strcmp(reply_text_at(reply, first + CLAIM_CLASS),
                                  verdict_class_name(VERDICT_AUTH)) == 0,
        .was_expired = reply_number_at(reply, first + CLAIM_IS_EXPIRED) != 0,
    };
    return reply_is_generation(reply_number_at(reply, first + CLAIM_GENERATION));
}

static bool read_damaged(struct claim_results *results, size_t limit,
                         const struct redis_reply *damaged)
{
    size_t count = redis_reply_length(damaged) / 2;
    if (count > limit + CLAIM_REPAIRED_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        results->damaged[i] = (struct claim_damage){.application_id = reply_text_at(damaged, 2 * i),
                                                    .field = reply_text_at(damaged, 2 * i + 1)};
    results->result.damaged = results->damaged;
    results->result.damaged_count = count;
    return true;
}

static bool claim_read(struct script_call *call, const struct redis_reply *reply)
{
    struct claim_results *results = call->results;
    size_t length = redis_reply_length(reply);
    if (length < CLAIM_HEAD || (length - CLAIM_HEAD) % CLAIM_FIELDS != 0)
        return false;
    size_t count = (length - CLAIM_HEAD) / CLAIM_FIELDS;
    int64_t due_count = reply_number_at(reply, 1);
    if (count > call->count || due_count < 0 || due_count > UINT32_MAX)
        return false;
    assert(CLAIM_HEAD + count * CLAIM_FIELDS == length);
    for (size_t i = 0; i < count; i++)
        if (!read_claim(reply, CLAIM_HEAD + i * CLAIM_FIELDS, &results->claims[i],
                        results->event_ids[i]))
            return false;
    results->result = (struct claim_result){
        .claims = results->claims,
        .count = count,
        .next_due_in_ms = reply_number_at(reply, 0),
        .due_count = (size_t)due_count,
        .is_paused = reply_number_at(reply, 3) != 0,
        .repaired_count = (size_t)reply_number_at(reply, 4),
    };
    if (!read_damaged(results, call->count, redis_reply_item(reply, CLAIM_HEAD - 1)))
        return false;
    store_link_count(call->link->options.metrics.leases_expired, reply_number_at(reply, 2));
    store_link_note_clock(call->link, reply_number_at(reply, 5), clock_monotonic_ms());
    return true;
}

void claim_note_end(const struct script_call *call, const struct store_failure *failure)
{
    struct shard_claims *claims = &call->shard->claims;
    assert(claims->is_open && claims->answered < claims->number);
    claims->is_open = false;
    if (failure->status == STORE_OK)
        claims->answered = claims->number;
}

static void claim_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct claim_result nothing = {.next_due_in_ms = -1};
    const struct claim_results *results = call->results;
    claim_note_end(call, failure);
    call->done.claim(call->context, failure,
                     failure->status == STORE_OK ? &results->result : &nothing);
}

static const struct script_call_kind claim_kind = {SCRIPT_CLAIM, claim_read, claim_finish, false};

struct script_call *claim_make(struct store *store, struct shard *shard, size_t limit,
                               struct error *error)
{
    const struct shard_claims *claims = &shard->claims;
    assert(!claims->is_open); /* a second one would take the first for lost */
    assert(claims->answered <= claims->number);
    size_t results_bytes = sizeof(struct claim_results) + limit * sizeof(struct claim) +
                           (limit + CLAIM_REPAIRED_MAX) * sizeof(struct claim_damage) +
                           limit * ATTEMPT_ID_BYTES;
    struct script_call *call =
        script_call_create(store, shard, &claim_kind, ARGUMENTS, results_bytes, error);
    if (call == NULL)
        return NULL;
    call->count = limit;
    struct claim_results *results = call->results;
    results->damaged = (struct claim_damage *)(void *)(results->claims + limit);
    results->event_ids =
        (char(*)[ATTEMPT_ID_BYTES])(void *)(results->damaged + limit + CLAIM_REPAIRED_MAX);
    script_call_add_number(call, (int64_t)limit);
    script_call_add_number(call, store->options.lease_ms);
    script_call_add_number(call, store->options.age_max_ms);
    script_call_add_text(call, claims->key);
    script_call_add_number(call, claims->number + 1);
    script_call_add_number(call, claims->answered);
    script_call_add_number(call, store_link_latest_ms(call->link));
    return call;
}

void claim_note_sent(struct shard *shard)
{
    shard->claims.number++;
    shard->claims.is_open = true;
}
