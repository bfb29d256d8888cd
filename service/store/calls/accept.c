/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/calls/accept.h"

#include <assert.h>

#include "lib/base/clock.h"

#include "service/domain/event.h"
#include "service/store/reply.h"
#include "service/store/script_call.h"

enum {
    HEAD = 6,            /* arguments in front of the events */
    ANSWER_HEAD = 2,     /* numbers in front of what came of them */
    ARGUMENTS = 4,       /* per event */
    GIVE_BACK_MS = 1000, /* from one try to the next */
    LATE = 6,            /* as accept.lua has it */
};

struct accept_results {
    struct shard_claims *leases; /* borrowed: the shard's; NULL: nothing is to be leased */
    bool is_read;                /* what the script has answered is here */
    bool is_late;                /* nothing was done */
    size_t leased_count, places; /* of them, at most so many */
    struct accept_result items[];
};

static bool read_leased(const struct redis_reply *reply, struct accept_result *out)
{
    int64_t outcome = reply_number_at(reply, 0), generation = reply_number_at(reply, 1);
    const char *seek_token = reply_text_at(reply, 2);
    out->outcome = (enum accept_outcome)outcome;
    out->state = DELIVERY_PENDING; /* what the one who posted is told, whoever sends it */
    out->lease = (uint64_t)generation;
    out->seek_token = seek_token[0] != '\0' ? seek_token : NULL;
    return reply_is_generation(generation) &&
           (outcome == ACCEPT_ACCEPTED || outcome == ACCEPT_REPLACED);
}

/* A duplicate comes with its state and the event that it repeats, what is leased with its lease,
 * unless that is the call's time; anything else with the outcome alone. */
static bool read_accepted(const struct redis_reply *reply, int64_t redis_us,
                          struct accept_result *out)
{
    enum { LEASED = 5 };
    if (reply_is_array_of(reply, 3))
        return read_leased(reply, out);
    if (reply_is_array_of(reply, 2)) {
        out->outcome = ACCEPT_DUPLICATE;
        out->event_id = reply_text_at(reply, 1);
        return delivery_state_parse(reply_text_at(reply, 0), &out->state);
    }
    int64_t outcome = redis_reply_integer(reply);
    if (outcome == LEASED && !reply_is_generation(redis_us))
        return false;
    out->lease = outcome == LEASED ? (uint64_t)redis_us : 0;
    outcome = outcome == LEASED ? ACCEPT_ACCEPTED : outcome;
    out->outcome = (enum accept_outcome)outcome;
    out->state = outcome == ACCEPT_NO_TOKEN ? DELIVERY_DRAFT : DELIVERY_PENDING;
    out->event_id = NULL;
    return redis_reply_type(reply) == REDIS_TYPE_INTEGER &&
           (outcome == ACCEPT_ACCEPTED || outcome == ACCEPT_REPLACED ||
            outcome == ACCEPT_NO_TOKEN || outcome == ACCEPT_DAMAGED);
}

/* One that is leased comes with the seek-token that it was posted with, or was kept for it. */
static bool has_seek_token(const struct script_call *call, size_t place,
                           const struct accept_result *result)
{
    size_t first = call->arguments_count - (call->count - place) * ARGUMENTS;
    return result->seek_token != NULL || call->lengths[first + 1] > 0;
}

static bool accept_read(struct script_call *call, const struct redis_reply *reply)
{
    struct accept_results *results = call->results;
    if (!reply_is_array_of(reply, ANSWER_HEAD + call->count))
        return false;
    int64_t redis_ms = reply_number_at(reply, 0), redis_us = reply_number_at(reply, 1);
    results->is_late = reply_number_at(reply, ANSWER_HEAD) == LATE;
    if (results->is_late) {
        store_link_note_clock(call->link, redis_ms, clock_monotonic_ms());
        return true;
    }
    for (size_t i = 0; i < call->count; i++) {
        struct accept_result *result = &results->items[i];
        if (!read_accepted(redis_reply_item(reply, ANSWER_HEAD + i), redis_us, result) ||
            (result->lease != 0 && !has_seek_token(call, i, result)))
            return false;
        result->accepted_at_ms = redis_ms;
        results->leased_count += result->lease != 0;
    }
    store_link_note_clock(call->link, redis_ms, clock_monotonic_ms());
    results->is_read = results->leased_count <= results->places;
    return results->is_read;
}

/* What most events do not have, in one argument. */
static void add_more(struct script_call *call, const struct accept_item *item)
{
    const char *traceparent = item->traceparent != NULL ? item->traceparent : "";
    if (item->completed_at_ms == EVENT_COMPLETED_AT_UNKNOWN && item->came_us == 0 &&
        traceparent[0] == '\0') {
        script_call_add_text(call, NULL);
        return;
    }
    script_call_add_number(call, item->completed_at_ms);
    script_call_extend_text(call, " ");
    script_call_extend_stamp(call, item->came_us, item->life);
    script_call_extend_text(call, " ");
    script_call_extend_text(call, traceparent);
}

/* What the script says it leased is known to the caller now, whatever the commit came to. */
static void end_leasing(const struct accept_results *results)
{
    struct shard_claims *leases = results->leases;
    if (leases == NULL)
        return;
    assert(leases->is_open && leases->answered < leases->number);
    leases->is_open = false;
    if (results->is_read)
        leases->answered = leases->number;
}

/* --- what a lost call leased --- */

static bool give_back_read(struct script_call *call, const struct redis_reply *reply)
{
    struct accept_results *results = call->results;
    assert(results->leases != NULL);
    results->is_read = redis_reply_length(reply) > 0; /* what is due next is its workers' matter */
    return results->is_read;
}

static void give_back_finish(struct script_call *call, const struct store_failure *failure)
{
    const struct accept_results *results = call->results;
    assert(failure->status != STORE_OK || results->is_read);
    end_leasing(results);
    store_note_due(call->store, call->shard, clock_monotonic_ms());
}

static const struct script_call_kind give_back_kind = {SCRIPT_CLAIM, give_back_read,
                                                       give_back_finish, false};

enum { GIVE_BACK_ARGUMENTS = 7 };

/* A claim of nothing, as if it was the next call under that key. */
static bool give_back(struct store *store, struct shard *shard, struct shard_claims *leases,
                      struct error *error)
{
    AUTO(script_call) *call = script_call_create(store, shard, &give_back_kind, GIVE_BACK_ARGUMENTS,
                                                 sizeof(struct accept_results), error);
    if (call == NULL)
        return false;
    ((struct accept_results *)call->results)->leases = leases;
    script_call_add_number(call, 0);
    script_call_add_number(call, store->options.lease_ms);
    script_call_add_number(call, store->options.age_max_ms);
    script_call_add_text(call, leases->key);
    script_call_add_number(call, leases->number + 1);
    script_call_add_number(call, leases->answered);
    script_call_add_number(call, store_link_latest_ms(call->link));
    if (!script_call_send(STEAL(call), error))
        return false;
    leases->number++;
    leases->is_open = true;
    return true;
}

static bool is_lost(const struct shard_claims *leases)
{
    assert(leases->answered <= leases->number);
    return !leases->is_open && leases->answered < leases->number;
}

int64_t store_give_back_timeout_ms(const struct store *store, int64_t now_ms)
{
    bool is_any_lost = false;
    for (size_t i = 0; i < (size_t)store->shard_count * SHARD_ACCEPTS_MAX && !is_any_lost; i++)
        is_any_lost = is_lost(&store->shards[i / SHARD_ACCEPTS_MAX].accepts[i % SHARD_ACCEPTS_MAX]);
    if (!is_any_lost)
        return -1;
    return store->give_back_at_ms > now_ms ? store->give_back_at_ms - now_ms : GIVE_BACK_MS;
}

void store_give_back_lost(struct store *store, int64_t now_ms)
{
    struct error error;
    if (now_ms < store->give_back_at_ms)
        return;
    for (size_t i = 0; i < (size_t)store->shard_count * SHARD_ACCEPTS_MAX; i++) {
        struct shard *shard = &store->shards[i / SHARD_ACCEPTS_MAX];
        struct shard_claims *leases = &shard->accepts[i % SHARD_ACCEPTS_MAX];
        if (!is_lost(leases) || !store_is_shard_ready(store, shard, &error))
            continue;
        store->give_back_at_ms = now_ms + GIVE_BACK_MS;
        if (!give_back(store, shard, leases, &error))
            return; /* tried again then */
    }
}

const struct store_failure accept_came_late = {
    .status = STORE_UNAVAILABLE,
    .detail = "The event reached Redis after its time limit, so Redis did not store it."};

static void accept_finish(struct script_call *call, const struct store_failure *failure)
{
    const struct accept_results *results = call->results;
    if (failure->status == STORE_OK && results->is_late)
        failure = &accept_came_late;
    assert(failure->status != STORE_OK || results->is_read);
    end_leasing(results);
    if (failure->status != STORE_OK || results->leased_count < call->count)
        store_note_due(call->store, call->shard, clock_monotonic_ms());
    call->done.accept(call->context, failure, results->is_read ? results->items : NULL,
                      results->is_read ? call->count : 0);
}

static const struct script_call_kind accept_kind = {SCRIPT_ACCEPT, accept_read, accept_finish,
                                                    false};

/* Where what the call leases is remembered: one whose last answer was lost comes first, since what
 * that had leased is given back then, also with no places. NULL: none is needed, or free. */
static struct shard_claims *find_leases(struct shard *shard, size_t places)
{
    struct shard_claims *found = NULL;
    for (size_t i = 0; i < SHARD_ACCEPTS_MAX; i++) {
        struct shard_claims *leases = &shard->accepts[i];
        assert(leases->answered <= leases->number);
        if (leases->is_open)
            continue;
        if (leases->answered < leases->number)
            return leases;
        if (found == NULL && places > 0)
            found = leases;
    }
    return found;
}

static void add_head(struct script_call *call, const struct shard_claims *leases, size_t places)
{
    script_call_add_number(call, leases != NULL ? (int64_t)places : 0);
    script_call_add_number(call, call->store->options.lease_ms);
    script_call_add_text(call, leases != NULL ? leases->key : NULL);
    script_call_add_number(call, leases != NULL ? leases->number + 1 : 0);
    script_call_add_number(call, leases != NULL ? leases->answered : 0);
    script_call_add_number(call, store_link_latest_ms(call->link));
}

/* Callback, context and error are three of the parameters of each call. */
/* NOLINTNEXTLINE(readability-function-size) */
bool store_accept(struct store *store, const struct accept_item *items, size_t count, size_t places,
                  store_accept_done done, void *context, struct error *error)
{
    assert(count > 0);
    struct shard *shard = store_shard_of(store, items[0].application_id);
    assert(places <= count);
    size_t bytes = sizeof(struct accept_results) + count * sizeof(struct accept_result);
    AUTO(script_call) *call =
        script_call_create(store, shard, &accept_kind, HEAD + count * ARGUMENTS, bytes, error);
    if (call == NULL)
        return false;
    struct shard_claims *leases = find_leases(shard, places);
    struct accept_results *results = call->results;
    results->leases = leases;
    results->places = leases != NULL ? places : 0;
    call->done.accept = done;
    call->context = context;
    call->count = count;
    add_head(call, leases, places);
    for (size_t i = 0; i < count; i++) {
        assert(store_shard_of(store, items[i].application_id) == shard);
        script_call_add_text(call, items[i].application_id);
        script_call_add_text(call, items[i].seek_token);
        script_call_add_event_id(call, items[i].event_id);
        add_more(call, &items[i]);
    }
    if (!script_call_send(STEAL(call), error))
        return false;
    if (leases != NULL) {
        leases->number++;
        leases->is_open = true;
    }
    if (places < count)
        store_note_due(store, shard, clock_monotonic_ms()); /* the claim arrives behind it */
    return true;
}
