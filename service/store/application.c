/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/application.h"

#include <string.h>

#include "service/store/reply.h"

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

bool application_read(const struct redis_reply *entry, const char *id, struct listed *out)
{
    struct application *application = &out->application;
    if (!delivery_state_parse(text_of(entry, "state"), &application->state))
        return false;
    out->at_ms = reply_number_at(entry, 0);
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
