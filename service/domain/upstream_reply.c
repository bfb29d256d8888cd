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

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"

static const struct {
    const char *code;
    const char *message; /* when the client has no words of its own */
} transports[] = {
    [UPSTREAM_ANSWERED] = {"", ""},
    [UPSTREAM_NO_CONNECTION] = {"NO_CONNECTION", "no connection to SEEK"},
    [UPSTREAM_TLS_FAILED] = {"TLS", "the TLS handshake with SEEK failed"},
    [UPSTREAM_NOT_RESOLVED] = {"DNS", "SEEK's host name could not be resolved"},
    [UPSTREAM_TIMED_OUT] = {"TIMEOUT", "SEEK did not answer in time"},
    [UPSTREAM_BROKEN] = {"BROKEN", "the connection broke before the answer was complete"},
    [UPSTREAM_TOO_LARGE] = {"TOO_LARGE", "SEEK's answer was too large"},
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
};
/* clang-format on */

/* SEEK's codes may change; a message of this form says BAD_USER_INPUT all the same. */
static const char input_message_prefix[] = "/input/";

/* The first row that holds the status counts. A 2xx here is one whose body was no success. */
static const struct {
    unsigned first, last;
    enum verdict_class class;
} statuses[] = {
    {200, 299, VERDICT_TRANSIENT},
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
    [VERDICT_DELIVERED] = 0, [VERDICT_REFUSED] = 1, [VERDICT_MISCONFIGURED] = 2,
    [VERDICT_TRANSIENT] = 3, [VERDICT_AUTH] = 4,    [VERDICT_THROTTLED] = 5,
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char *verdict_class_name(enum verdict_class class)
{
    static const char *const names[VERDICT_CLASS_COUNT] = {
        [VERDICT_DELIVERED] = "delivered", [VERDICT_TRANSIENT] = "transient",
        [VERDICT_THROTTLED] = "throttled", [VERDICT_AUTH] = "auth",
        [VERDICT_REFUSED] = "refused",     [VERDICT_MISCONFIGURED] = "misconfigured",
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
struct complaint {
    struct json_text code, message; /* bytes NULL: absent */
    enum verdict_class class;
    bool is_documented;
};

static struct complaint read_complaint(const struct json_value *error)
{
    /* Members of what is no object, and texts that are none, count as absent. */
    struct complaint complaint = {.class = VERDICT_TRANSIENT};
    (void)json_member_text(json_member(error, "extensions"), "code", &complaint.code);
    if (complaint.code.length >= VERDICT_CODE_BYTES)
        complaint.code = (struct json_text){0}; /* whole or not at all: a piece cannot be masked */
    (void)json_member_text(error, "message", &complaint.message);

    for (size_t i = 0; i < COUNT(documented_codes) && complaint.code.bytes != NULL; i++) {
        if (strcmp(complaint.code.bytes, documented_codes[i].code) == 0) {
            complaint.class = documented_codes[i].class;
            complaint.is_documented = true;
            return complaint;
        }
    }
    if (complaint.message.bytes != NULL && strncmp(complaint.message.bytes, input_message_prefix,
                                                   sizeof input_message_prefix - 1) == 0) {
        complaint.class = VERDICT_REFUSED;
        complaint.is_documented = true;
    }
    return complaint;
}

static void append_message(struct verdict *out, struct json_text message)
{
    if (message.length == 0)
        return;
    if (out->message[0] != '\0')
        append_cut(out->message, sizeof out->message, "; ", 2);
    append_cut(out->message, sizeof out->message, message.bytes, message.length);
}

/* All messages; class and code of the error that counts. */
static void judge_errors(const struct json_value *errors, struct verdict *out)
{
    const enum verdict_class by_status = class_of_status(out->http_status);
    struct complaint decisive = {.class = VERDICT_DELIVERED};
    bool is_documented = false;
    for (size_t i = 0; i < json_array_length(errors); i++) {
        struct complaint complaint = read_complaint(json_array_item(errors, i));
        append_message(out, complaint.message);
        is_documented |= complaint.is_documented;
        if (precedence[complaint.class] > precedence[decisive.class])
            decisive = complaint;
    }
    out->has_errors = true;
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
    (void)snprintf(out->message, sizeof out->message, "HTTP status %u; %s", out->http_status, what);
}

static void judge_document(const struct json_value *answer, struct verdict *out)
{
    const struct json_value *errors = json_member(answer, "errors");
    bool is_array = json_type(errors) == JSON_ARRAY;
    bool has_errors = json_array_length(errors) > 0;
    bool has_none = json_type(errors) == JSON_NULL || (is_array && !has_errors);
    bool has_result = json_has_member(json_member(answer, "data"), "sendSignal");

    if (has_errors)
        judge_errors(errors, out);
    else if (has_none && has_result && is_success(out->http_status))
        out->class = VERDICT_DELIVERED; /* whatever the value: SEEK's schema allows null */
    else
        judge_status("NO_RESULT", "neither GraphQL errors nor a success of sendSignal", out);
}

void upstream_reply_classify(const struct upstream_reply *reply, int64_t wall_ms,
                             struct verdict *out)
{
    *out = (struct verdict){.http_status = reply->status, .retry_after_ms = -1};
    if (reply->retry_after != NULL)
        out->retry_after_ms = retry_after_parse_ms(reply->retry_after, wall_ms);
    if (reply->transport != UPSTREAM_ANSWERED) {
        out->class = VERDICT_TRANSIENT;
        set_cut(out->code, sizeof out->code, transports[reply->transport].code);
        set_cut(out->message, sizeof out->message,
                reply->transport_detail != NULL ? reply->transport_detail
                                                : transports[reply->transport].message);
        return;
    }

    struct error error;
    AUTO(json) *json = json_parse(reply->body, reply->body_length, &error);
    if (json == NULL)
        judge_status("NOT_JSON", "the answer is not JSON that can be read", out);
    else
        judge_document(json_root(json), out);
}
