/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Three tables, asked in this order: how far the exchange came, what SEEK's GraphQL errors say,
 * what the HTTP status says.
 *
 * SEEK reports failures in the body and gives the HTTP status no meaning, so a documented error
 * code (or message) outranks the status: BAD_USER_INPUT under 400 or 500 is refused, and no proxy
 * writes such a body by accident. Errors of unknown codes alone decide nothing: then the status is
 * what is known. Codes may be renamed or added at any time, so an unknown one never kills an event.
 * A 429 throttles whatever the body says.
 */
#include "service/domain/upstream_reply.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"
#include "lib/base/json_repair.h"

static const struct {
    const char *code;
    const char *message; /* the client's own words come behind it */
    bool has_status;     /* it came as far as that, which says more */
    enum verdict_class class;
} transports[UPSTREAM_TRANSPORT_COUNT] = {
    /* clang-format off */
    [UPSTREAM_NO_CONNECTION] = {"NO_CONNECTION", "no connection to SEEK", false, VERDICT_TRANSIENT},
    [UPSTREAM_TLS_FAILED]    = {"TLS", "the TLS handshake with SEEK failed", false, VERDICT_TRANSIENT},
    [UPSTREAM_NOT_RESOLVED]  = {"DNS", "SEEK's host name could not be resolved", false, VERDICT_TRANSIENT},
    [UPSTREAM_TIMED_OUT]     = {"TIMEOUT", "SEEK did not answer in time", false, VERDICT_TRANSIENT},
    [UPSTREAM_BROKEN]        = {"BROKEN", "the connection broke before the answer was complete", false, VERDICT_TRANSIENT},
    [UPSTREAM_TOO_LARGE]     = {"TOO_LARGE", "SEEK's answer was too large", true, VERDICT_UNREADABLE},
    [UPSTREAM_BAD_CODING]    = {"BAD_CODING", "the answer's content coding cannot be decoded", true, VERDICT_UNREADABLE},
    [UPSTREAM_PROXY_REFUSED] = {"PROXY_REFUSED", "the proxy refuses the connection to SEEK", false, VERDICT_MISCONFIGURED},
    [UPSTREAM_NOT_SENT]      = {"NOT_SENT", "SEEK's server closes each connection without processing the request", false, VERDICT_TRANSIENT},
    /* clang-format on */
};

/* clang-format off */
static const struct {
    const char *code;
    enum verdict_class class;
} documented_codes[] = {
    {"RATE_LIMITED",          VERDICT_THROTTLED},
    {"UNAUTHENTICATED",       VERDICT_AUTH},
    {"BAD_USER_INPUT",        VERDICT_REFUSED},
    {"FORBIDDEN",             VERDICT_REFUSED},
    {"INTERNAL_SERVER_ERROR", VERDICT_TRANSIENT},
    /* GraphQL servers': about the form of our request, which all signals share. */
    {"GRAPHQL_PARSE_FAILED",          VERDICT_MISCONFIGURED},
    {"GRAPHQL_VALIDATION_FAILED",     VERDICT_MISCONFIGURED},
    {"OPERATION_RESOLUTION_FAILURE",  VERDICT_MISCONFIGURED},
    {"PERSISTED_QUERY_NOT_FOUND",     VERDICT_MISCONFIGURED},
    {"PERSISTED_QUERY_NOT_SUPPORTED", VERDICT_MISCONFIGURED},
    {"BAD_REQUEST",                   VERDICT_MISCONFIGURED},
};
/* clang-format on */

/* How GraphQL's reference implementation, of which many servers are built, begins to say that its
 * schema and our request do not fit (one more required member): nothing that a seek-token could be
 * the cause of. Some servers call it BAD_USER_INPUT, others give it no code and the status 200. */
static const char *const form_message_prefixes[] = {
    "Variable ",
    "Cannot query field ",
    "Unknown argument ",
    "Unknown type ",
    "Field \"sendSignal\" ",
    "Syntax Error: ",
    "Schema is not configured to execute ",
};

/* SEEK's codes may change; a message of this form says BAD_USER_INPUT all the same. */
static const char input_message_prefix[] = "/input/";

/* The first row that holds the status counts. A 2xx here is one whose body was no success. */
static const struct {
    unsigned first, last;
    enum verdict_class class;
} statuses[] = {
    {200, 299, VERDICT_TRANSIENT}, /* JSON; else it is VERDICT_UNREADABLE */
    {401, 401, VERDICT_AUTH},
    {408, 408, VERDICT_TRANSIENT},
    {429, 429, VERDICT_THROTTLED},
    /* Neither a wrong URL nor a firewall's 403 may kill a queue: SEEK's own FORBIDDEN is in a body.
     */
    {300, 499, VERDICT_MISCONFIGURED},
    {0, 999, VERDICT_TRANSIENT}, /* 5xx, and what is no status at all */
};

/* Of several errors the class that waits longest counts, so that one that is refused does not kill
 * what another one only delays. Greater wins. */
static const unsigned precedence[VERDICT_CLASS_COUNT] = {
    [VERDICT_DELIVERED] = 0,  [VERDICT_REFUSED] = 1, [VERDICT_MISCONFIGURED] = 2,
    [VERDICT_TRANSIENT] = 3,  [VERDICT_AUTH] = 4,    [VERDICT_THROTTLED] = 5,
    [VERDICT_UNREADABLE] = 0, /* no single error is */
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char *verdict_class_name(enum verdict_class class)
{
    static const char *const names[VERDICT_CLASS_COUNT] = {
        [VERDICT_DELIVERED] = "delivered",   [VERDICT_TRANSIENT] = "transient",
        [VERDICT_THROTTLED] = "throttled",   [VERDICT_AUTH] = "auth",
        [VERDICT_REFUSED] = "refused",       [VERDICT_MISCONFIGURED] = "misconfigured",
        [VERDICT_UNREADABLE] = "unreadable",
    };
    return names[class];
}

static enum verdict_class class_of_status(unsigned status)
{
    size_t row = 0;
    while (row < COUNT(statuses) - 1 &&
           (status < statuses[row].first || status > statuses[row].last))
        row++;
    return statuses[row].class;
}

static bool is_success(unsigned status)
{
    return status >= 200 && status <= 299;
}

/* Appends to a text of `size` bytes, cut between two characters of UTF-8. */
static void append_cut(char *text, size_t size, const char *more, size_t length)
{
    size_t used = strlen(text);
    size_t fits = size - 1 - used;
    if (length > fits) {
        length = fits;
        while (length > 0 && ((unsigned char)more[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(text + used, more, length);
    text[used + length] = '\0';
}

static void set_cut(char *text, size_t size, const char *value)
{
    text[0] = '\0';
    append_cut(text, size, value, strlen(value));
}

/* One entry of `errors`. */
struct seek_error {
    struct json_text code, message; /* bytes NULL: absent */
    enum verdict_class class;
    bool is_documented, is_code_known;
};

static bool begins_with(struct json_text text, const char *prefix)
{
    return text.bytes != NULL && strncmp(text.bytes, prefix, strlen(prefix)) == 0;
}

static bool is_about_form(struct json_text message)
{
    for (size_t i = 0; i < COUNT(form_message_prefixes); i++)
        if (begins_with(message, form_message_prefixes[i]))
            return true;
    return false;
}

/* By its code, else by the form of its message. */
static void classify_seek_error(struct seek_error *seek_error)
{
    for (size_t i = 0; i < COUNT(documented_codes) && seek_error->code.bytes != NULL; i++) {
        if (strcmp(seek_error->code.bytes, documented_codes[i].code) != 0)
            continue;
        seek_error->class = documented_codes[i].class;
        seek_error->is_documented = seek_error->is_code_known = true;
        if (seek_error->class == VERDICT_REFUSED && is_about_form(seek_error->message))
            seek_error->class = VERDICT_MISCONFIGURED;
        return;
    }
    bool is_form = is_about_form(seek_error->message);
    if (is_form || begins_with(seek_error->message, input_message_prefix)) {
        seek_error->class = is_form ? VERDICT_MISCONFIGURED : VERDICT_REFUSED;
        seek_error->is_documented = true;
    }
}

static struct seek_error read_seek_error(const struct json_value *error)
{
    /* Members of what is no object, and texts that are none, count as absent. */
    struct seek_error seek_error = {.class = VERDICT_TRANSIENT};
    (void)json_member_text(json_member(error, "extensions"), "code", &seek_error.code);
    if (seek_error.code.length >= VERDICT_CODE_BYTES)
        seek_error.code = (struct json_text){0}; /* whole or not at all */
    if (!json_text(error, &seek_error.message))  /* a bare text is one of those messages */
        (void)json_member_text(error, "message", &seek_error.message);
    classify_seek_error(&seek_error);
    return seek_error;
}

/* `errors` ought to be an array; by itself, what would be an item of it is one. */
static size_t count_errors(const struct json_value *errors)
{
    enum json_type type = json_type(errors);
    return type == JSON_ARRAY ? json_array_length(errors)
                              : type == JSON_OBJECT || type == JSON_STRING;
}

static const struct json_value *error_at(const struct json_value *errors, size_t index)
{
    return json_type(errors) == JSON_ARRAY ? json_array_item(errors, index) : errors;
}

static void append_words(struct verdict *out, const char *words, size_t length)
{
    append_cut(out->message, sizeof out->message, words, length);
    out->message_length += length;
}

static void append_message(struct verdict *out, struct json_text message)
{
    if (message.length == 0)
        return;
    if (out->message[0] != '\0')
        append_words(out, "; ", 2);
    append_words(out, message.bytes, message.length);
}

static void mark_cut(struct verdict *out)
{
    char mark[48];
    if (out->message_length < sizeof out->message)
        return;
    int length = snprintf(mark, sizeof mark, " [cut: %zu bytes in all]", out->message_length);
    assert(length > 0 && (size_t)length < sizeof mark);
    size_t kept = sizeof out->message - 1 - (size_t)length;
    while (kept > 0 && ((unsigned char)out->message[kept] & 0xc0) == 0x80)
        kept--;
    memcpy(out->message + kept, mark, (size_t)length + 1);
}

/* All messages; class and code of the error that counts. */
static void judge_errors(const struct json_value *errors, struct verdict *out)
{
    const enum verdict_class by_status = class_of_status(out->http_status);
    struct seek_error decisive = {.class = VERDICT_DELIVERED};
    bool is_documented = false;
    for (size_t i = 0; i < count_errors(errors); i++) {
        struct seek_error seek_error = read_seek_error(error_at(errors, i));
        append_message(out, seek_error.message);
        is_documented |= seek_error.is_documented;
        if (precedence[seek_error.class] > precedence[decisive.class])
            decisive = seek_error;
    }
    out->has_errors = true;
    out->is_code_known = decisive.is_code_known || decisive.code.bytes == NULL;
    out->class = decisive.class;
    if (!is_documented || by_status == VERDICT_THROTTLED)
        out->class = by_status;
    set_cut(out->code, sizeof out->code,
            decisive.code.bytes != NULL ? decisive.code.bytes : "NO_CODE");
    if (out->message[0] == '\0')
        set_cut(out->message, sizeof out->message, "SEEK gave an error without a message");
}

/* For an answer without GraphQL errors that is no success. */
static void judge_status(const char *code_of_2xx, const char *what, struct verdict *out)
{
    out->class = class_of_status(out->http_status);
    if (is_success(out->http_status))
        set_cut(out->code, sizeof out->code, code_of_2xx);
    else
        (void)snprintf(out->code, sizeof out->code, "HTTP_%u", out->http_status);
    (void)snprintf(out->message, sizeof out->message, "SEEK or a proxy answered HTTP %u %s",
                   out->http_status, what);
    out->message_length = strlen(out->message);
}

/* What gateways, OAuth (RFC 6750) and problem documents (RFC 9457) call their words. */
static void append_other_words(const struct json_value *answer, struct verdict *out)
{
    static const char *const names[] = {"error", "error_description", "message", "title", "detail"};
    const char *separator = "; it says: ";
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct json_value *member = json_member(answer, names[i]);
        struct json_text words;
        if (!json_text(member, &words) && !json_member_text(member, "message", &words))
            continue;
        append_words(out, separator, strlen(separator));
        append_words(out, words.bytes, words.length);
        separator = ": ";
    }
}

static void judge_document(const struct json_value *answer, struct verdict *out)
{
    const struct json_value *errors = json_member(answer, "errors");
    const struct json_value *data = json_member(answer, "data");
    bool is_array = json_type(errors) == JSON_ARRAY;
    bool has_errors = count_errors(errors) > 0;
    bool has_none = json_type(errors) == JSON_NULL || (is_array && !has_errors);

    if (has_errors) {
        judge_errors(errors, out);
    } else if (has_none && json_has_member(data, "sendSignal") && is_success(out->http_status)) {
        out->class = VERDICT_DELIVERED; /* whatever the value: SEEK's schema allows null */
        out->is_result_odd = !json_is_true(json_member(data, "sendSignal"));
    } else {
        judge_status("NO_RESULT",
                     "with JSON that has neither GraphQL errors nor a success of sendSignal", out);
        append_other_words(answer, out);
    }
}

static void judge_transport(const struct upstream_reply *reply, struct verdict *out)
{
    const char *detail = reply->transport_detail != NULL ? reply->transport_detail : "";
    out->class = transports[reply->transport].class;
    if (transports[reply->transport].has_status && !is_success(reply->status))
        out->class = class_of_status(reply->status);
    set_cut(out->code, sizeof out->code, transports[reply->transport].code);
    set_cut(out->message, sizeof out->message, transports[reply->transport].message);
    if (*detail != '\0') {
        append_cut(out->message, sizeof out->message, ": ", 2);
        append_cut(out->message, sizeof out->message, detail, strlen(detail));
    }
}

/* A success by its status whose body nobody can read is one that SEEK may have. */
static void judge_unreadable(const struct upstream_reply *reply, const struct error *error,
                             struct verdict *out)
{
    enum { TYPE_SHOWN_MAX = 100 };
    const char *type = reply->content_type != NULL ? reply->content_type : "";
    int length = (int)strcspn(type, "; ,\t"); /* the parameters tell an operator nothing */
    bool is_json = strcasestr(type, "json") != NULL;
    char what[sizeof error->message + 64 + TYPE_SHOWN_MAX];
    if (length > TYPE_SHOWN_MAX)
        length = TYPE_SHOWN_MAX;
    if (reply->body_length == 0)
        (void)snprintf(what, sizeof what, "with an empty body, not GraphQL");
    else if (length == 0 || is_json || error->kind == ERROR_MEMORY)
        (void)snprintf(what, sizeof what, "with %s that cannot be read: %s",
                       length == 0 ? "a text" : "JSON", error->message);
    else
        (void)snprintf(what, sizeof what, "with %.*s, not GraphQL", length, type);
    judge_status("NOT_JSON", what, out);
    if (error->kind == ERROR_MEMORY) /* of ours: it says nothing of the answer */
        out->class = VERDICT_TRANSIENT;
    else if (is_success(out->http_status))
        out->class = VERDICT_UNREADABLE;
}

void upstream_reply_classify(const struct upstream_reply *reply, int64_t wall_ms,
                             struct verdict *out)
{
    *out =
        (struct verdict){.http_status = reply->status, .retry_after_ms = -1, .is_code_known = true};
    if (reply->retry_after != NULL)
        out->retry_after_ms = retry_after_parse_ms(reply->retry_after, wall_ms);
    if (reply->transport != UPSTREAM_ANSWERED) {
        judge_transport(reply, out);
        return;
    }
    struct error error;
    AUTO(json) *json =
        json_parse_repaired(reply->body, reply->body_length, UPSTREAM_DEPTH_MAX, &error);
    if (json == NULL)
        judge_unreadable(reply, &error, out);
    else
        judge_document(json_root(json), out);
    mark_cut(out);
}
