/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The worker's side of the store: claiming what is due, settling what came of it.
 */
#include "service/store/leases.h"

#include <assert.h>
#include <string.h>

#include "lib/base/clock.h"

#include "service/store/script_call.h"

/* --- claim --- */

enum {
    ANSWER_MS = 100, /* on its way, and what the clocks are read too late */
    CLAIM_ARGUMENTS = 7,
    CLAIM_HEAD = 6 /* next due, due count, leases expired, is paused, mended, Redis's clock */
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

struct claim_results {
    struct claim_result result;
    struct claim claims[];
};

static void read_claim(const struct redis_reply *reply, size_t first, struct claim *out)
{
    *out = (struct claim){
        .application_id = reply_text_at(reply, first + CLAIM_ID),
        .seek_token = reply_text_at(reply, first + CLAIM_TOKEN),
        .event_id = reply_text_at(reply, first + CLAIM_EVENT),
        .traceparent = reply_text_at(reply, first + CLAIM_TRACE),
        .generation = (uint64_t)reply_number_at(reply, first + CLAIM_GENERATION),
        .attempt = (unsigned)reply_number_at(reply, first + CLAIM_ATTEMPT),
        .completed_at_ms = reply_number_at(reply, first + CLAIM_COMPLETED),
        .age_ms = reply_number_at(reply, first + CLAIM_AGE),
        .was_auth_before = strcmp(reply_text_at(reply, first + CLAIM_CLASS),
                                  verdict_class_name(VERDICT_AUTH)) == 0,
        .was_expired = reply_number_at(reply, first + CLAIM_IS_EXPIRED) != 0,
    };
}

static bool claim_read(struct script_call *call, const struct redis_reply *reply)
{
    struct claim_results *results = call->results;
    size_t length = redis_reply_length(reply);
    if (length < CLAIM_HEAD || (length - CLAIM_HEAD) % CLAIM_FIELDS != 0)
        return false;
    size_t count = (length - CLAIM_HEAD) / CLAIM_FIELDS;
    if (count > call->count)
        return false;
    for (size_t i = 0; i < count; i++)
        read_claim(reply, CLAIM_HEAD + i * CLAIM_FIELDS, &results->claims[i]);
    results->result = (struct claim_result){
        .claims = results->claims,
        .count = count,
        .next_due_in_ms = reply_number_at(reply, 0),
        .due_count = (size_t)reply_number_at(reply, 1),
        .is_paused = reply_number_at(reply, 3) != 0,
        .mended_count = (size_t)reply_number_at(reply, 4),
    };
    call->store->counters.leases_expired += (uint64_t)reply_number_at(reply, 2);
    store_note_clock(call->store, reply_number_at(reply, 5), clock_monotonic_ms());
    return true;
}

static void claim_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct claim_result nothing = {.next_due_in_ms = -1};
    const struct claim_results *results = call->results;
    struct store_claims *claims = &call->store->claims;
    claims->is_open = false;
    if (failure->status == STORE_OK)
        claims->answered = claims->number;
    call->done.claim(call->context, failure,
                     failure->status == STORE_OK ? &results->result : &nothing);
}

static const struct script_call_kind claim_kind = {SCRIPT_CLAIM, claim_read, claim_finish};

/* By Redis's clock, as it was shown last: when the answer to a claim that is sent now can no longer
 * come in time. If that clock was set forward since, one claim takes nothing, and shows it. */
static int64_t latest_claim_ms(const struct store *store)
{
    int64_t patience_ms = (int64_t)store->answer_timeout_ms - ANSWER_MS;
    return store->is_clock_known ? clock_monotonic_ms() + store->clock_ahead_ms + patience_ms
                                 : INT64_MAX;
}

bool store_claim(struct store *store, size_t limit, store_claim_done done, void *context,
                 struct error *error)
{
    struct store_claims *claims = &store->claims;
    assert(!claims->is_open); /* a second one would take the first for lost */
    size_t results_bytes = sizeof(struct claim_results) + limit * sizeof(struct claim);
    AUTO(script_call) *call =
        script_call_create(store, &claim_kind, CLAIM_ARGUMENTS, results_bytes, error);
    if (call == NULL)
        return false;
    call->done.claim = done;
    call->context = context;
    call->count = limit;
    script_call_add_number(call, (int64_t)limit);
    script_call_add_number(call, store->options.lease_ms);
    script_call_add_number(call, store->options.age_max_ms);
    script_call_add_text(call, claims->key);
    script_call_add_number(call, claims->number + 1);
    script_call_add_number(call, claims->answered);
    script_call_add_number(call, latest_claim_ms(store));
    if (!script_call_send(STEAL(call), error))
        return false;
    claims->number++;
    claims->is_open = true;
    return true;
}

/* --- settle --- */

enum { SETTLE_ARGUMENTS = 8 /* per settlement, after the time to live */ };

static const char *const action_names[] = {
    [SETTLE_DELIVERED] = "delivered",
    [SETTLE_RETRY] = "retry",
    [SETTLE_DEAD] = "dead",
    [SETTLE_RELEASE] = "release",
};

static void add_settlement(struct script_call *call, const struct settlement *settlement)
{
    const struct verdict *verdict = settlement->verdict;
    script_call_add_text(call, settlement->application_id);
    script_call_add_number(call, (int64_t)settlement->generation);
    script_call_add_text(call, action_names[settlement->action]);
    script_call_add_number(call, settlement->delay_ms);
    script_call_add_text(call, verdict != NULL ? verdict_class_name(verdict->class) : NULL);
    script_call_add_text(call, verdict != NULL ? verdict->code : NULL);
    script_call_add_text(call, verdict != NULL ? verdict->message : NULL);
    script_call_add_number(call, verdict != NULL ? verdict->http_status : 0);
}

static bool settle_read(struct script_call *call, const struct redis_reply *reply)
{
    enum settle_outcome *outcomes = call->results;
    if (!reply_is_array_of(reply, call->count))
        return false;
    for (size_t i = 0; i < call->count; i++) {
        outcomes[i] = reply_number_at(reply, i) != 0 ? SETTLED : SETTLE_FENCED;
        if (outcomes[i] == SETTLE_FENCED)
            call->store->counters.fenced++;
    }
    return true;
}

static void settle_finish(struct script_call *call, const struct store_failure *failure)
{
    bool is_done = failure->status == STORE_OK;
    call->done.settle(call->context, failure, is_done ? call->results : NULL,
                      is_done ? call->count : 0);
}

static const struct script_call_kind settle_kind = {SCRIPT_SETTLE, settle_read, settle_finish};

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_settle(struct store *store, const struct settlement *settlements, size_t count,
                  store_settle_done done, void *context, struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, &settle_kind, 1 + count * SETTLE_ARGUMENTS,
                                                 count * sizeof(enum settle_outcome), error);
    if (call == NULL)
        return false;
    call->done.settle = done;
    call->context = context;
    call->count = count;
    script_call_add_number(call, store->options.ttl_ms);
    for (size_t i = 0; i < count; i++)
        add_settlement(call, &settlements[i]);
    return script_call_send(STEAL(call), error);
}
