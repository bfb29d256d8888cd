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
    [PROBLEM_TLS_REQUIRED]             = {"tls_required",             400, FINAL,     0, "This port accepts only TLS"},
    [PROBLEM_NOT_JSON]                 = {"not_json",                 400, FINAL,     0, "The body is not valid JSON"},
    [PROBLEM_NOT_AN_OBJECT]            = {"not_an_object",            400, FINAL,     0, "The event is not a JSON object"},
    [PROBLEM_REPEATED_MEMBER]          = {"repeated_member",          400, FINAL,     0, "A JSON member is given twice"},
    [PROBLEM_EMPTY_BATCH]              = {"empty_batch",              400, FINAL,     0, "The batch has no event"},
    [PROBLEM_CLOUD_EVENT_INVALID]      = {"cloud_event_invalid",      400, FINAL,     0, "The CloudEvent is incomplete"},
    [PROBLEM_WAIT_INVALID]             = {"wait_invalid",             400, FINAL,     0, "The wait parameter cannot be used"},
    [PROBLEM_QUERY_INVALID]            = {"query_invalid",            400, FINAL,     0, "A query parameter cannot be used"},
    [PROBLEM_UNAUTHORIZED]             = {"unauthorized",             401, FINAL,     0, "The API key is missing or wrong"},
    [PROBLEM_FORBIDDEN_ORIGIN]         = {"forbidden_origin",         403, FINAL,     0, "Another site may not do this"},
    [PROBLEM_KEY_READ_ONLY]            = {"key_read_only",            403, FINAL,     0, "The key is read-only"},
    [PROBLEM_NOT_FOUND]                = {"not_found",                404, FINAL,     0, "There is nothing at this path"},
    [PROBLEM_APPLICATION_UNKNOWN]      = {"application_unknown",      404, FINAL,     0, "The application is not known"},
    [PROBLEM_METHOD_NOT_ALLOWED]       = {"method_not_allowed",       405, FINAL,     0, "The method is not allowed here"},
    [PROBLEM_TOKEN_MISSING]            = {"token_missing",            409, FINAL,     0, "No seek-token is known for the application"},
    [PROBLEM_REPLAY_DRAFT]             = {"replay_draft",             409, FINAL,     0, "The application is only a draft"},
    [PROBLEM_REPLAY_SENDING]           = {"replay_sending",           409, RETRYABLE, 0, "The signal is being sent right now"},
    [PROBLEM_REPLAY_DELIVERED]         = {"replay_delivered",         409, FINAL,     0, "The signal was delivered already"},
    [PROBLEM_APPLICATION_DAMAGED]      = {"application_damaged",      409, FINAL,     0, "The application's data in Redis is damaged"},
    [PROBLEM_BODY_TOO_LARGE]           = {"body_too_large",           413, FINAL,     0, "The body is too large"},
    [PROBLEM_BATCH_TOO_LONG]           = {"batch_too_long",           413, FINAL,     0, "The batch has too many events"},
    [PROBLEM_CONTENT_TYPE_UNSUPPORTED] = {"content_type_unsupported", 415, FINAL,     0, "The content type is not accepted here"},
    [PROBLEM_CONTENT_ENCODING_UNSUPPORTED] = {"content_encoding_unsupported", 415, FINAL, 0, "The body is compressed"},
    [PROBLEM_TYPE_UNKNOWN]             = {"type_unknown",             422, FINAL,     0, "The event type is not known"},
    [PROBLEM_APPLICATION_ID_INVALID]   = {"application_id_invalid",   422, FINAL,     0, "The application id is not valid"},
    [PROBLEM_TOKEN_INVALID]            = {"token_invalid",            422, FINAL,     0, "The seek-token is not valid"},
    [PROBLEM_TOKEN_ENCODED]            = {"token_encoded",            422, FINAL,     0, "The seek-token is still URL-encoded"},
    [PROBLEM_TOKEN_AND_URI]            = {"token_and_uri",            422, FINAL,     0, "Both a seek-token and a URI are given"},
    [PROBLEM_APPLICATION_URI_INVALID]  = {"application_uri_invalid",  422, FINAL,     0, "The application URI is not valid"},
    [PROBLEM_COMPLETED_AT_INVALID]     = {"completed_at_invalid",     422, FINAL,     0, "The time of completion is not valid"},
    [PROBLEM_BATCH_REFUSED]            = {"batch_refused",            422, FINAL,     0, "No event of the batch was accepted"},
    [PROBLEM_REPLAY_INVALID]           = {"replay_invalid",           422, FINAL,     0, "The request to replay or forget is not valid"},
    [PROBLEM_HEADERS_TOO_LARGE]        = {"headers_too_large",        431, FINAL,     0, "The request's headers are too large"},
    [PROBLEM_OUT_OF_MEMORY]            = {"out_of_memory",            503, RETRYABLE, 1, "The service is out of memory"},
    [PROBLEM_STORE_UNAVAILABLE]        = {"store_unavailable",        503, RETRYABLE, 1, "Events cannot be stored in Redis now"},
    [PROBLEM_STORE_REFUSED]            = {"store_refused",            503, RETRYABLE, 5, "Redis refused the change"},
    [PROBLEM_OVERLOADED]               = {"overloaded",               503, RETRYABLE, 1, "Too many events wait to be stored"},
    [PROBLEM_BODIES_FULL]              = {"bodies_full",              503, RETRYABLE, 1, "Too many bytes are being received"},
    [PROBLEM_SHUTTING_DOWN]            = {"shutting_down",            503, RETRYABLE, 1, "The service is shutting down"},
    [PROBLEM_NOT_LIVE]                 = {"not_live",                 503, RETRYABLE, 1, "A thread of the service is stuck"},
    [PROBLEM_NOT_READY]                = {"not_ready",                503, RETRYABLE, 1, "Events cannot be accepted now"},
    [PROBLEM_NOT_STARTED]              = {"not_started",              503, RETRYABLE, 1, "The service has not started yet"},
};

/* For a problem that has no words of its own. */
static const struct {
    const char *detail, *remedy;
} words[PROBLEM_CODE_COUNT] = {
    [PROBLEM_REQUEST_INVALID] = {"The request line or a header cannot be read, or can be read in two ways.", "Look at the client, or at the proxy in between."},
    [PROBLEM_NOT_JSON] = {"The body cannot be read as JSON.", "Send JSON as RFC 8259 defines it, in UTF-8."},
    [PROBLEM_NOT_AN_OBJECT] = {"The event, or the body, is JSON but not an object.", "Send one JSON object, or an array of them as a batch."},
    [PROBLEM_REPEATED_MEMBER] = {"A JSON member that the service reads appears more than once.", "Send each member once."},
    [PROBLEM_EMPTY_BATCH] = {"The batch is empty.", "Send at least one event."},
    [PROBLEM_CLOUD_EVENT_INVALID] = {"A required attribute is missing, or specversion is not 1.0.", "Send id, source, specversion and type as CloudEvents 1.0 requires them."},
    [PROBLEM_WAIT_INVALID] = {"wait is not a duration of at most 30 seconds, or came with a batch.", "Send for example wait=5s, or leave it out."},
    [PROBLEM_QUERY_INVALID] = {"A query parameter is missing or has a wrong value.", "Look the parameter up in GET /openapi.yaml."},
    [PROBLEM_UNAUTHORIZED] = {"This call needs the API key.", "Send the header Authorization: Bearer <API key>."},
    [PROBLEM_FORBIDDEN_ORIGIN] = {"The request comes from a page of another site, or names another host.", "Use a program instead of a browser, and call this machine by its own name."},
    [PROBLEM_TLS_REQUIRED] = {"The request came without TLS to a port that takes TLS only.", "Begin the URL with https://."},
    [PROBLEM_KEY_READ_ONLY] = {"This key may read, and may not change anything.", "Use the key of SEEK_SIGNAL_API_KEY for this call."},
    [PROBLEM_NOT_FOUND] = {"No call has this path.", "Check the path for an extra slash, and check the port: the port of OPS_LISTEN has only probes and metrics. GET /openapi.yaml at the port of LISTEN lists all calls."},
    [PROBLEM_APPLICATION_UNKNOWN] = {"It was never posted, expired after its delivery, or was deleted.", "Check the application id; in a path it is percent-encoded once."},
    [PROBLEM_METHOD_NOT_ALLOWED] = {"The path exists, but not with this method.", "Use one of the methods in the header Allow."},
    [PROBLEM_TOKEN_MISSING] = {"Neither the event nor an earlier call gave a seek-token.", "If the candidate did not come from SEEK, there is no signal to send. Otherwise send token or applicationUri with the event."},
    [PROBLEM_REPLAY_DRAFT] = {"The application was never completed.", "POST /v1/events when the application is complete."},
    [PROBLEM_REPLAY_SENDING] = {"An attempt is in progress.", "Wait for its outcome."},
    [PROBLEM_REPLAY_DELIVERED] = {"SEEK has the signal.", "Nothing is left to do."},
    [PROBLEM_APPLICATION_DAMAGED] = {"Another program has changed the application in Redis.", "DELETE the application, then send it again."},
    [PROBLEM_BODY_TOO_LARGE] = {"The body is too long. The limit for events is SEEK_SIGNAL_MAX_BODY_BYTES.", "Send smaller batches."},
    [PROBLEM_BATCH_TOO_LONG] = {"The batch has more events than SEEK_SIGNAL_MAX_BATCH.", "Split the batch."},
    [PROBLEM_CONTENT_TYPE_UNSUPPORTED] = {"The Content-Type of the body is missing or not supported.", "Send Content-Type: application/json."},
    [PROBLEM_CONTENT_ENCODING_UNSUPPORTED] = {"The body has a Content-Encoding, which is not supported.", "Send the body without compression."},
    [PROBLEM_TYPE_UNKNOWN] = {"The type is not application.completed.", "Leave type out, and post completed applications only."},
    [PROBLEM_APPLICATION_ID_INVALID] = {"The application id is not valid.", "Send 1 to 256 bytes of UTF-8 without control characters."},
    [PROBLEM_TOKEN_INVALID] = {"The seek-token is not valid.", "Send the value of the URL parameter seek-token, decoded once."},
    [PROBLEM_TOKEN_ENCODED] = {"The seek-token holds a percent-escape.", "Decode the URL parameter seek-token once, or send the whole URL as applicationUri."},
    [PROBLEM_TOKEN_AND_URI] = {"There are both token and applicationUri.", "Send one of the two."},
    [PROBLEM_APPLICATION_URI_INVALID] = {"The text is not a URL, or has two different seek-tokens.", "Send the whole URL that the candidate arrived with."},
    [PROBLEM_COMPLETED_AT_INVALID] = {"The time is not an RFC 3339 date and time with an offset.", "Send for example 2026-01-02T03:04:05.678Z, or leave it out."},
    [PROBLEM_BATCH_REFUSED] = {"Each event of the batch was refused.", "See the problem of each event in results."},
    [PROBLEM_REPLAY_INVALID] = {"A member is unknown or has a wrong value.", "Look the members up in GET /openapi.yaml."},
    [PROBLEM_HEADERS_TOO_LARGE] = {"Request line and headers are longer than SEEK_SIGNAL_MAX_HEADER_BYTES.", "Send less, or raise that setting."},
    [PROBLEM_OUT_OF_MEMORY] = {"Memory for this request could not be allocated.", "Send it again after Retry-After. If this lasts, give the service more memory."},
    [PROBLEM_STORE_UNAVAILABLE] = {"Redis did not answer, or is not fit to store events.", "Send it again after Retry-After. GET /readyz and the log give the reason."},
    [PROBLEM_STORE_REFUSED] = {"Redis answered with an error.", "Send it again after Retry-After. The log has the answer of Redis."},
    [PROBLEM_OVERLOADED] = {"Too many events wait in memory for Redis.", "Send it again after Retry-After."},
    [PROBLEM_BODIES_FULL] = {"The bodies of all requests together are over SEEK_SIGNAL_BODIES_BYTES_MAX.", "Send it again after Retry-After. Send smaller batches, or fewer of them at a time."},
    [PROBLEM_SHUTTING_DOWN] = {"The service is stopping and did not learn the outcome in time.", "Send it again: that is safe."},
    [PROBLEM_NOT_LIVE] = {"A thread of the service has been stuck for ten seconds.", "Restart the service."},
    [PROBLEM_NOT_READY] = {"An event could not be stored durably now.", "Look at what the detail names. The log gives the reason too."},
    [PROBLEM_NOT_STARTED] = {"Redis has not been reached since the start.", "Look at Redis. The log gives the reason."},
};

static const enum problem_code codes_of_rejections[REJECTION_CODE_COUNT] = {
    [REJECTED_NOT_JSON]        = PROBLEM_NOT_JSON,
    [REJECTED_NOT_AN_OBJECT]   = PROBLEM_NOT_AN_OBJECT,
    [REJECTED_REPEATED_MEMBER] = PROBLEM_REPEATED_MEMBER,
    [REJECTED_EMPTY_BATCH]     = PROBLEM_EMPTY_BATCH,
    [REJECTED_BATCH_TOO_LONG]  = PROBLEM_BATCH_TOO_LONG,
    [REJECTED_TYPE]            = PROBLEM_TYPE_UNKNOWN,
    [REJECTED_APPLICATION_ID]  = PROBLEM_APPLICATION_ID_INVALID,
    [REJECTED_NO_TOKEN]        = PROBLEM_TOKEN_MISSING,
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

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *problem_detail(const struct problem *problem)
{
    return is_given(problem->detail) ? problem->detail : words[problem->code].detail;
}

static const char *remedy_of(const struct problem *problem)
{
    return is_given(problem->remedy) ? problem->remedy : words[problem->code].remedy;
}

static bool write_member(struct buffer *out, const char *name, const char *text,
                         struct error *error)
{
    if (!is_given(text))
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
           write_member(out, "detail", problem_detail(problem), error) &&
           write_member(out, "field", problem->field, error) &&
           write_member(out, "remedy", remedy_of(problem), error);
}

bool problem_write(struct buffer *out, const struct problem *problem, struct error *error)
{
    return problem_write_open(out, problem, error) && buffer_append_text(out, "}", error);
}
