/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/problem.h"

#include <assert.h>
#include <string.h>

#include "lib/base/json.h"

enum { FINAL = false, RETRYABLE = true };

/* clang-format off */
static const struct problem_kind kinds[PROBLEM_CODE_COUNT] = {
    /*                                   code                       status retryable after  title */
    [PROBLEM_REQUEST_INVALID]          = {"request_invalid",          400, FINAL,     0, "The request is not valid HTTP"},
    [PROBLEM_NOT_JSON]                 = {"not_json",                 400, FINAL,     0, "The body is not valid JSON"},
    [PROBLEM_NOT_AN_OBJECT]            = {"not_an_object",            400, FINAL,     0, "The event is not a JSON object"},
    [PROBLEM_REPEATED_MEMBER]          = {"repeated_member",          400, FINAL,     0, "A JSON member is given twice"},
    [PROBLEM_EMPTY_BATCH]              = {"empty_batch",              400, FINAL,     0, "The batch has no event"},
    [PROBLEM_CLOUD_EVENT_INVALID]      = {"cloud_event_invalid",      400, FINAL,     0, "The CloudEvent is incomplete"},
    [PROBLEM_WAIT_INVALID]             = {"wait_invalid",             400, FINAL,     0, "The wait parameter cannot be used"},
    [PROBLEM_QUERY_INVALID]            = {"query_invalid",            400, FINAL,     0, "A query parameter cannot be used"},
    [PROBLEM_UNAUTHORIZED]             = {"unauthorized",             401, FINAL,     0, "The API key is missing or wrong"},
    [PROBLEM_FORBIDDEN_ORIGIN]         = {"forbidden_origin",         403, FINAL,     0, "Another site may not do this"},
    [PROBLEM_NOT_FOUND]                = {"not_found",                404, FINAL,     0, "There is nothing at this path"},
    [PROBLEM_APPLICATION_UNKNOWN]      = {"application_unknown",      404, FINAL,     0, "The application is not known"},
    [PROBLEM_METHOD_NOT_ALLOWED]       = {"method_not_allowed",       405, FINAL,     0, "The method is not allowed here"},
    [PROBLEM_REQUEST_TOO_SLOW]         = {"request_too_slow",         408, RETRYABLE, 0, "The request did not arrive in time"},
    [PROBLEM_TOKEN_MISSING]            = {"token_missing",            409, FINAL,     0, "No seek-token is known for the application"},
    [PROBLEM_REPLAY_DRAFT]             = {"replay_draft",             409, FINAL,     0, "The application is only a draft"},
    [PROBLEM_REPLAY_SENDING]           = {"replay_sending",           409, RETRYABLE, 0, "The signal is being sent right now"},
    [PROBLEM_REPLAY_DELIVERED]         = {"replay_delivered",         409, FINAL,     0, "The signal was delivered already"},
    [PROBLEM_BODY_TOO_LARGE]           = {"body_too_large",           413, FINAL,     0, "The body is too large"},
    [PROBLEM_BATCH_TOO_LONG]           = {"batch_too_long",           413, FINAL,     0, "The batch has too many events"},
    [PROBLEM_CONTENT_TYPE_UNSUPPORTED] = {"content_type_unsupported", 415, FINAL,     0, "The content type is not accepted here"},
    [PROBLEM_TYPE_UNKNOWN]             = {"type_unknown",             422, FINAL,     0, "The event type is not known"},
    [PROBLEM_APPLICATION_ID_INVALID]   = {"application_id_invalid",   422, FINAL,     0, "The application id is not valid"},
    [PROBLEM_TOKEN_INVALID]            = {"token_invalid",            422, FINAL,     0, "The seek-token is not valid"},
    [PROBLEM_TOKEN_ENCODED]            = {"token_encoded",            422, FINAL,     0, "The seek-token is still URL-encoded"},
    [PROBLEM_TOKEN_AND_URI]            = {"token_and_uri",            422, FINAL,     0, "Both a seek-token and a URI are given"},
    [PROBLEM_APPLICATION_URI_INVALID]  = {"application_uri_invalid",  422, FINAL,     0, "The application URI is not valid"},
    [PROBLEM_COMPLETED_AT_INVALID]     = {"completed_at_invalid",     422, FINAL,     0, "The time of completion is not valid"},
    [PROBLEM_BATCH_REFUSED]            = {"batch_refused",            422, FINAL,     0, "No event of the batch was accepted"},
    [PROBLEM_REPLAY_INVALID]           = {"replay_invalid",           422, FINAL,     0, "The replay cannot be done as asked"},
    [PROBLEM_HEADERS_TOO_LARGE]        = {"headers_too_large",        431, FINAL,     0, "The request's headers are too large"},
    [PROBLEM_OUT_OF_MEMORY]            = {"out_of_memory",            503, RETRYABLE, 1, "The service is out of memory"},
    [PROBLEM_STORE_UNAVAILABLE]        = {"store_unavailable",        503, RETRYABLE, 1, "Redis cannot be reached"},
    [PROBLEM_STORE_REFUSED]            = {"store_refused",            503, RETRYABLE, 5, "Redis refused the change"},
    [PROBLEM_OVERLOADED]               = {"overloaded",               503, RETRYABLE, 1, "Too many events wait to be stored"},
    [PROBLEM_SHUTTING_DOWN]            = {"shutting_down",            503, RETRYABLE, 1, "The service is shutting down"},
    [PROBLEM_NOT_LIVE]                 = {"not_live",                 503, RETRYABLE, 1, "A loop of the service is stuck"},
    [PROBLEM_NOT_READY]                = {"not_ready",                503, RETRYABLE, 1, "Events cannot be accepted now"},
    [PROBLEM_NOT_STARTED]              = {"not_started",              503, RETRYABLE, 1, "The service has not started yet"},
};

static const enum problem_code codes_of_rejections[REJECTION_CODE_COUNT] = {
    [REJECTED_NOT_JSON]        = PROBLEM_NOT_JSON,
    [REJECTED_NOT_AN_OBJECT]   = PROBLEM_NOT_AN_OBJECT,
    [REJECTED_REPEATED_MEMBER] = PROBLEM_REPEATED_MEMBER,
    [REJECTED_EMPTY_BATCH]     = PROBLEM_EMPTY_BATCH,
    [REJECTED_BATCH_TOO_LONG]  = PROBLEM_BATCH_TOO_LONG,
    [REJECTED_TYPE]            = PROBLEM_TYPE_UNKNOWN,
    [REJECTED_APPLICATION_ID]  = PROBLEM_APPLICATION_ID_INVALID,
    [REJECTED_TOKEN]           = PROBLEM_TOKEN_INVALID,
    [REJECTED_TOKEN_ENCODED]   = PROBLEM_TOKEN_ENCODED,
    [REJECTED_TOKEN_AND_URI]   = PROBLEM_TOKEN_AND_URI,
    [REJECTED_APPLICATION_URI] = PROBLEM_APPLICATION_URI_INVALID,
    [REJECTED_COMPLETED_AT]    = PROBLEM_COMPLETED_AT_INVALID,
    [REJECTED_CLOUD_EVENT]     = PROBLEM_CLOUD_EVENT_INVALID,
    [REJECTED_OUT_OF_MEMORY]   = PROBLEM_OUT_OF_MEMORY,
};
/* clang-format on */

const struct problem_kind *problem_kind(enum problem_code code)
{
    assert(code < PROBLEM_CODE_COUNT);
    return &kinds[code];
}

struct problem problem_from_rejection(const struct rejection *rejection)
{
    assert(rejection->code < REJECTION_CODE_COUNT);
    return (struct problem){.code = codes_of_rejections[rejection->code],
                            .detail = rejection->detail,
                            .field = rejection->field,
                            .remedy = rejection->remedy};
}

static bool write_member(struct buffer *out, const char *name, const char *text,
                         struct error *error)
{
    if (text == NULL || text[0] == '\0')
        return true;
    return buffer_append_format(out, error, ",\"%s\":", name) &&
           json_append_string(out, text, strlen(text), error);
}

/* The type is a URN: nothing has to be served at it, and it stays when the documentation moves. */
bool problem_write_open(struct buffer *out, const struct problem *problem, struct error *error)
{
    const struct problem_kind *kind = problem_kind(problem->code);
    return buffer_append_format(out, error,
                                "{\"type\":\"urn:seek-signal:problem:%s\",\"title\":\"%s\","
                                "\"status\":%u,\"code\":\"%s\",\"retryable\":%s",
                                kind->name, kind->title, kind->status, kind->name,
                                kind->is_retryable ? "true" : "false") &&
           write_member(out, "detail", problem->detail, error) &&
           write_member(out, "field", problem->field, error) &&
           write_member(out, "remedy", problem->remedy, error);
}

bool problem_write(struct buffer *out, const struct problem *problem, struct error *error)
{
    return problem_write_open(out, problem, error) && buffer_append_text(out, "}", error);
}
