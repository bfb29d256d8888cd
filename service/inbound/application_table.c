/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/application_table.h"

#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/rfc3339.h"

bool application_write_titles(struct buffer *out, struct error *error)
{
    return buffer_append_text(out,
                              "applicationId,state,diedAt,completedAt,acceptedAt,lastAttemptAt,"
                              "attempts,class,code,message,httpStatus,eventId,lastRequestId,"
                              "tokenFingerprint\r\n",
                              error);
}

/* Quoted throughout. Spreadsheets run what begins with one of these, also behind blanks. */
static bool write_text(struct buffer *out, const char *text, struct error *error)
{
    bool is_formula = strchr("=+-@", text[strspn(text, " \t\r\n")]) != NULL &&
                      text[strspn(text, " \t\r\n")] != '\0';
    if (!buffer_append_text(out, is_formula ? "\"'" : "\"", error))
        return false;
    for (const char *c = text; *c != '\0'; c++) {
        if (!buffer_append(out, ascii_is_control(*c) ? " " : c, 1, error) ||
            (*c == '"' && !buffer_append_text(out, "\"", error)))
            return false;
    }
    return buffer_append_text(out, "\",", error);
}

static bool write_time(struct buffer *out, int64_t wall_ms, struct error *error)
{
    char text[RFC3339_BYTES] = "";
    if (wall_ms > 0)
        rfc3339_format(wall_ms, text);
    return buffer_append_format(out, error, "%s,", text);
}

static bool write_number(struct buffer *out, unsigned number, struct error *error)
{
    return number == 0 ? buffer_append_text(out, ",", error)
                       : buffer_append_format(out, error, "%u,", number);
}

static bool write_last_request_id(struct buffer *out, const struct application *application,
                                  struct error *error)
{
    char id[ATTEMPT_ID_BYTES] = "";
    if (application->event_id[0] != '\0' && application->attempts > 0)
        attempt_id(application->event_id, application->attempts, id);
    return buffer_append_format(out, error, "%s,", id);
}

bool application_write_row(struct buffer *out, const struct application *application,
                           struct error *error)
{
    return write_text(out, application->id, error) &&
           buffer_append_format(out, error, "%s,", delivery_state_name(application->state)) &&
           write_time(out, application->died_at_ms, error) &&
           write_time(out, application->completed_at_ms, error) &&
           write_time(out, application->accepted_at_ms, error) &&
           write_time(out, application->last_attempt_at_ms, error) &&
           write_number(out, application->attempts, error) &&
           write_text(out, application->last_class, error) &&
           write_text(out, application->last_code, error) &&
           write_text(out, application->last_message, error) &&
           write_number(out, application->last_http_status, error) &&
           write_text(out, application->event_id, error) &&
           write_last_request_id(out, application, error) &&
           buffer_append_format(out, error, "%s\r\n", application->token_fingerprint);
}
