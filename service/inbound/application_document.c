/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/application_document.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

static bool write_text(struct buffer *out, const char *name, const char *text, struct error *error)
{
    if (text == NULL || text[0] == '\0')
        return true;
    return buffer_append_format(out, error, ",\"%s\":", name) &&
           json_append_string(out, text, strlen(text), error);
}

static bool write_times(struct buffer *out, const struct application *application,
                        struct error *error)
{
    const struct {
        const char *name;
        int64_t wall_ms; /* 0: not yet, left out */
    } times[] = {
        {"tokenReceivedAt", application->token_received_at_ms},
        {"acceptedAt", application->accepted_at_ms},
        {"completedAt", application->completed_at_ms},
        {"lastAttemptAt", application->last_attempt_at_ms},
        {"nextAttemptAt", application->next_attempt_at_ms},
        {"deliveredAt", application->delivered_at_ms},
        {"diedAt", application->died_at_ms},
        {"replayedAt", application->replayed_at_ms},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char text[RFC3339_BYTES];
        if (times[i].wall_ms <= 0)
            continue;
        rfc3339_format(times[i].wall_ms, text);
        if (!buffer_append_format(out, error, ",\"%s\":\"%s\"", times[i].name, text))
            return false;
    }
    return true;
}

/* The newest first: support asks for the last one. All can be computed, so none is stored. */
static bool write_request_ids(struct buffer *out, const struct application *application,
                              struct error *error)
{
    if (!buffer_append_text(out, ",\"requestIds\":[", error))
        return false;
    unsigned attempts = application->event_id[0] != '\0' ? application->attempts : 0;
    unsigned shown = attempts < REQUEST_IDS_SHOWN_MAX ? attempts : REQUEST_IDS_SHOWN_MAX;
    for (unsigned i = 0; i < shown; i++) {
        char id[ATTEMPT_ID_BYTES];
        attempt_id(application->event_id, attempts - i, id);
        if ((i > 0 && !buffer_append_text(out, ",", error)) ||
            !json_append_string(out, id, strlen(id), error))
            return false;
    }
    return buffer_append_format(out, error, "],\"requestIdsTotal\":%u", attempts);
}

/* Whether our scripts have written it: number, time, class. */
static bool is_past_attempt(const char *line, const char *end)
{
    static const char figures[] = "0123456789";
    size_t number = strspn(line, figures);
    size_t time = line[number] == ' ' ? strspn(line + number + 1, figures) : 0;
    return number > 0 && time > 0 && line + number + 1 + time < end &&
           line[number + 1 + time] == ' ';
}

/* One line of the history, which ends at `end`. */
static bool write_past_attempt(struct buffer *out, const char *event_id, const char *line,
                               const char *end, struct error *error)
{
    char *rest;
    char request_id[ATTEMPT_ID_BYTES], at[RFC3339_BYTES];
    unsigned attempt = (unsigned)strtoul(line, &rest, 10);
    attempt_id(event_id, attempt, request_id);
    rfc3339_format(strtoll(rest, &rest, 10), at);
    const char *class = rest + (*rest == ' ');
    size_t class_length = strcspn(class, " \n");
    const char *code = class + class_length + (class[class_length] == ' ');
    return buffer_append_format(out, error, "{\"attempt\":%u,\"at\":\"%s\",\"requestId\":", attempt,
                                at) &&
           json_append_string(out, request_id, strlen(request_id), error) &&
           buffer_append_text(out, ",\"class\":", error) &&
           json_append_string(out, class, class_length, error) &&
           (code >= end || (buffer_append_text(out, ",\"code\":", error) &&
                            json_append_string(out, code, (size_t)(end - code), error))) &&
           buffer_append_text(out, "}", error);
}

static bool write_history(struct buffer *out, const struct application *application,
                          struct error *error)
{
    const char *line = application->history != NULL && application->event_id[0] != '\0'
                           ? application->history
                           : "";
    if (!buffer_append_text(out, ",\"history\":[", error))
        return false;
    const char *separator = "";
    while (*line != '\0') {
        const char *end = line + strcspn(line, "\n");
        if (is_past_attempt(line, end)) {
            if (!buffer_append_text(out, separator, error) ||
                !write_past_attempt(out, application->event_id, line, end, error))
                return false;
            separator = ",";
        }
        line = end + (*end == '\n');
    }
    return buffer_append_text(out, "]", error);
}

/* The outcome of the last attempt is kept when it was a delivery, too; that is no error. */
static bool has_last_error(const struct application *application)
{
    return application->last_class[0] != '\0' &&
           strcmp(application->last_class, verdict_class_name(VERDICT_DELIVERED)) != 0;
}

bool application_write_last_error(struct buffer *out, const struct application *application,
                                  struct error *error)
{
    if (!has_last_error(application))
        return true;
    return buffer_append_text(out, ",\"lastError\":{\"class\":", error) &&
           json_append_string(out, application->last_class, strlen(application->last_class),
                              error) &&
           write_text(out, "code", application->last_code, error) &&
           write_text(out, "message", application->last_message, error) &&
           (application->last_http_status == 0 ||
            buffer_append_format(out, error, ",\"httpStatus\":%u",
                                 application->last_http_status)) &&
           buffer_append_text(out, "}", error);
}

bool application_write(struct buffer *out, const struct application *application,
                       struct error *error)
{
    return buffer_append_text(out, "{\"applicationId\":", error) &&
           json_append_string(out, application->id, strlen(application->id), error) &&
           buffer_append_format(out, error,
                                ",\"state\":\"%s\",\"generation\":%" PRIu64 ",\"attempts\":%u",
                                delivery_state_name(application->state), application->generation,
                                application->attempts) &&
           write_text(out, "eventId", application->event_id, error) &&
           write_text(out, "tokenFingerprint", application->token_fingerprint, error) &&
           write_text(out, "traceparent", application->traceparent, error) &&
           write_times(out, application, error) && write_request_ids(out, application, error) &&
           write_history(out, application, error) &&
           application_write_last_error(out, application, error) &&
           buffer_append_text(out, "}", error);
}
