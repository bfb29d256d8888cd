/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Looking without changing: an application as it is kept, and how many there are.
 */
#include "service/store/reading.h"

#include <string.h>

#include "service/store/script_call.h"

/* --- an entry --- */

/* NULL when the entry does not have the field. */
static const struct redis_reply *field(const struct redis_reply *entry, const char *name)
{
    for (size_t i = 1; i + 1 < redis_reply_length(entry); i += 2) {
        if (strcmp(reply_text_at(entry, i), name) == 0)
            return redis_reply_item(entry, i + 1);
    }
    return NULL;
}

static const char *text_of(const struct redis_reply *entry, const char *name)
{
    const struct redis_reply *value = field(entry, name);
    return value != NULL ? redis_reply_text(value, NULL) : "";
}

static int64_t number_of(const struct redis_reply *entry, const char *name)
{
    const struct redis_reply *value = field(entry, name);
    return value != NULL ? redis_reply_integer(value) : 0;
}

static void read_fingerprint(const struct redis_reply *entry,
                             char text[SEEK_TOKEN_FINGERPRINT_BYTES])
{
    const struct redis_reply *token = field(entry, "token");
    size_t length;
    if (token != NULL) {
        const char *bytes = redis_reply_text(token, &length);
        seek_token_fingerprint(bytes, length, text);
    }
}

bool reading_fill(const struct redis_reply *entry, const char *id, struct listed *out)
{
    struct application *application = &out->application;
    if (!delivery_state_parse(text_of(entry, "state"), &application->state))
        return false;
    read_fingerprint(entry, out->fingerprint);
    application->id = id != NULL ? id : text_of(entry, "id");
    application->event_id = text_of(entry, "event");
    application->token_fingerprint = out->fingerprint;
    application->accepted_at_ms = number_of(entry, "accepted");
    application->completed_at_ms = number_of(entry, "completed");
    application->delivered_at_ms = number_of(entry, "delivered");
    application->died_at_ms = number_of(entry, "died");
    application->replayed_at_ms = number_of(entry, "replayed");
    application->last_attempt_at_ms = number_of(entry, "tried");
    application->attempts = (unsigned)number_of(entry, "attempts");
    application->generation = (uint64_t)number_of(entry, "gen");
    application->last_class = text_of(entry, "class");
    application->last_code = text_of(entry, "code");
    application->last_message = text_of(entry, "message");
    application->last_http_status = (unsigned)number_of(entry, "http");
    application->history = text_of(entry, "history");
    application->traceparent = text_of(entry, "trace");
    application->token_received_at_ms = field(entry, "received") != NULL
                                            ? number_of(entry, "received")
                                            : application->accepted_at_ms;
    if (application->state == DELIVERY_PENDING)
        application->next_attempt_at_ms = reply_number_at(entry, 0);
    return true;
}

/* --- get --- */

struct get_results {
    bool is_found;
    struct listed entry;
};

static bool get_read(struct script_call *call, const struct redis_reply *reply)
{
    struct get_results *results = call->results;
    if (reply_is_array_of(reply, 0))
        return true;
    results->is_found = true;
    return reading_fill(reply, call->arguments[call->arguments_count - 1], &results->entry);
}

static void get_finish(struct script_call *call, const struct store_failure *failure)
{
    const struct get_results *results = call->results;
    bool is_found = failure->status == STORE_OK && results->is_found;
    call->done.get(call->context, failure, is_found ? &results->entry.application : NULL);
}

static const struct script_call_kind get_kind = {SCRIPT_READ, get_read, get_finish};

bool store_get(struct store *store, const char *application_id, store_get_done done, void *context,
               struct error *error)
{
    AUTO(script_call) *call =
        script_call_create(store, &get_kind, 1, sizeof(struct get_results), error);
    if (call == NULL)
        return false;
    call->done.get = done;
    call->context = context;
    script_call_add_text(call, application_id);
    return script_call_send(STEAL(call), error);
}

/* --- census --- */

static bool census_read(struct script_call *call, const struct redis_reply *reply)
{
    struct store_census *census = call->results;
    if (!reply_is_array_of(reply, 4))
        return false;
    *census = (struct store_census){
        .due = reply_number_at(reply, 0),
        .dead = reply_number_at(reply, 1),
        .oldest_due_age_ms = reply_number_at(reply, 2),
        .paused_at_ms = reply_number_at(reply, 3),
    };
    return true;
}

static void census_finish(struct script_call *call, const struct store_failure *failure)
{
    static const struct store_census unknown = {-1, -1, -1, 0};
    call->done.census(call->context, failure,
                      failure->status == STORE_OK ? call->results : &unknown);
}

static const struct script_call_kind census_kind = {SCRIPT_CENSUS, census_read, census_finish};

bool store_census(struct store *store, store_census_done done, void *context, struct error *error)
{
    AUTO(script_call) *call =
        script_call_create(store, &census_kind, 0, sizeof(struct store_census), error);
    if (call == NULL)
        return false;
    call->done.census = done;
    call->context = context;
    return script_call_send(STEAL(call), error);
}
