/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/fault.h"

#include <stdio.h>
#include <string.h>

#include "service/sandbox/field.h"
#include "service/sandbox/graphql_error.h"
#include "service/sandbox/gzip.h"

enum {
    FAULT_COUNT_UNSET = -1,
    LATENCY_MS_MAX = 3600 * 1000,
    SLOW_MS = 1000,
    LARGE_BYTES = 2 << 20,
    LARGE_HEAD_BYTES = 1 << 20,
    LARGE_BYTES_MAX = 8 << 20,
};

enum fault_body { FAULT_BODY_HTML, FAULT_BODY_JSON, FAULT_BODY_NONE };

enum effect {
    EFFECT_STATUS,
    EFFECT_ERROR,
    EFFECT_ENDING,
    EFFECT_BODY,
    EFFECT_TYPE,
    EFFECT_HALF,
    EFFECT_ANSWER,
    EFFECT_GZIP,
    EFFECT_LARGE,
    EFFECT_LARGE_HEAD,
};

enum { ON_GRAPHQL = 1 << FAULT_ON_GRAPHQL, ON_BOTH = ON_GRAPHQL | 1 << FAULT_ON_TOKEN };

/* What each kind is, and what its members are unless given. */
static const struct kind {
    unsigned targets;
    enum effect effect;
    enum answer_ending ending;
    bool is_taken;
    bool has_data;
    bool lacks_extensions;
    int64_t latency_ms;
    const char *code, *message; /* of an error; of EFFECT_BODY the message is the body */
} kinds[] = {
    /* clang-format off */
    [FAULT_STATUS]          = {.targets = ON_BOTH,    .effect = EFFECT_STATUS},
    [FAULT_GRAPHQL_ERROR]   = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "INTERNAL_SERVER_ERROR", .message = "scripted error"},
    [FAULT_UNAUTHENTICATED] = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "UNAUTHENTICATED", .message = "Partner token is not valid"},
    [FAULT_RATE_LIMITED]    = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "RATE_LIMITED", .message = "Rate limit exceeded", .has_data = true},
    [FAULT_INTERNAL]        = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "INTERNAL_SERVER_ERROR", .message = "Internal server error", .has_data = true},
    [FAULT_UNKNOWN_CODE]    = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "NEVER_HEARD_OF", .message = "a code that no page mentions", .has_data = true},
    [FAULT_MISSING_CODE]    = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "missing-code", .message = "an error without extensions", .lacks_extensions = true},
    [FAULT_BAD_USER_INPUT]  = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "BAD_USER_INPUT", .message = "/input/token: Is not valid", .has_data = true},
    [FAULT_FORBIDDEN]       = {.targets = ON_GRAPHQL, .effect = EFFECT_ERROR, .code = "FORBIDDEN", .message = "No hirer relationship", .has_data = true},
    [FAULT_RESET]           = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_RESET},
    [FAULT_RESET_AFTER]     = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_RESET, .is_taken = true},
    [FAULT_CLOSE]           = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_CLOSED},
    [FAULT_CUT_BODY]        = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_CUT, .is_taken = true},
    [FAULT_GARBAGE]         = {.targets = ON_BOTH,    .effect = EFFECT_BODY, .message = "\x01\x02{]garbage\xff"},
    [FAULT_EMPTY]           = {.targets = ON_BOTH,    .effect = EFFECT_BODY, .message = ""},
    [FAULT_SLOW]            = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_SENT, .is_taken = true, .latency_ms = SLOW_MS},
    [FAULT_HANG]            = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_WITHHELD},
    [FAULT_TIMEOUT_AFTER]   = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_WITHHELD, .is_taken = true},
    [FAULT_CONTENT_TYPE]    = {.targets = ON_GRAPHQL, .effect = EFFECT_TYPE, .is_taken = true},
    [FAULT_TRUNCATED_JSON]  = {.targets = ON_BOTH,    .effect = EFFECT_HALF, .is_taken = true},
    [FAULT_ANSWER]          = {.targets = ON_BOTH,    .effect = EFFECT_ANSWER},
    [FAULT_GZIP]            = {.targets = ON_BOTH,    .effect = EFFECT_GZIP, .is_taken = true},
    [FAULT_LARGE]           = {.targets = ON_BOTH,    .effect = EFFECT_LARGE, .is_taken = true},
    [FAULT_LARGE_HEAD]      = {.targets = ON_BOTH,    .effect = EFFECT_LARGE_HEAD, .ending = ANSWER_LARGE_HEAD, .is_taken = true},
    [FAULT_IDLE_CLOSE]      = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_THEN_CLOSED, .is_taken = true},
    [FAULT_REFUSED_STREAM]  = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_REFUSED_STREAM},
    [FAULT_GOAWAY]          = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_GOAWAY},
    [FAULT_GOAWAY_AFTER]    = {.targets = ON_BOTH,    .effect = EFFECT_ENDING, .ending = ANSWER_GOAWAY_AFTER, .is_taken = true},
    /* clang-format on */
};

static const char *const kind_names[] = {
    [FAULT_STATUS] = "status",
    [FAULT_GRAPHQL_ERROR] = "graphql-error",
    [FAULT_UNAUTHENTICATED] = "unauthenticated",
    [FAULT_RATE_LIMITED] = "rate-limited",
    [FAULT_INTERNAL] = "internal",
    [FAULT_UNKNOWN_CODE] = "unknown-code",
    [FAULT_MISSING_CODE] = "missing-code",
    [FAULT_BAD_USER_INPUT] = "bad-user-input",
    [FAULT_FORBIDDEN] = "forbidden",
    [FAULT_RESET] = "reset",
    [FAULT_RESET_AFTER] = "reset-after",
    [FAULT_CLOSE] = "close",
    [FAULT_CUT_BODY] = "cut-body",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_EMPTY] = "empty",
    [FAULT_SLOW] = "slow",
    [FAULT_HANG] = "hang",
    [FAULT_TIMEOUT_AFTER] = "timeout-after",
    [FAULT_CONTENT_TYPE] = "content-type",
    [FAULT_TRUNCATED_JSON] = "truncated-json",
    [FAULT_ANSWER] = "answer",
    [FAULT_GZIP] = "gzip",
    [FAULT_LARGE] = "large",
    [FAULT_LARGE_HEAD] = "large-head",
    [FAULT_IDLE_CLOSE] = "idle-close",
    [FAULT_REFUSED_STREAM] = "refused-stream",
    [FAULT_GOAWAY] = "goaway",
    [FAULT_GOAWAY_AFTER] = "goaway-after",
    [FAULT_KIND_COUNT] = NULL,
};
static const char *const target_names[] = {"graphql", "token", NULL};
static const char *const body_names[] = {
    [FAULT_BODY_HTML] = "html", [FAULT_BODY_JSON] = "json", [FAULT_BODY_NONE] = "none", NULL};
static const char *const recorded_names[] = {
    [FAULT_RECORDED_AT_START] = "start", [FAULT_RECORDED_AT_END] = "end", NULL};

#define AT(member) offsetof(struct fault, member)
/* clang-format off */
static const struct field fields[] = {
    {.name = "on",                .type = FIELD_CHOICE,   .offset = AT(target),         .choices = target_names},
    {.name = "kind",              .type = FIELD_CHOICE,   .offset = AT(kind),           .choices = kind_names},
    {.name = "count",             .type = FIELD_INTEGER,  .offset = AT(count),          .max = INT32_MAX},
    {.name = "probability",       .type = FIELD_FRACTION, .offset = AT(probability),    .max = 1},
    {.name = "seekTokenContains", .type = FIELD_TEXT,     .offset = AT(seek_token_contains), .max = FAULT_TEXT_BYTES_MAX},
    {.name = "latencyMs",         .type = FIELD_INTEGER,  .offset = AT(latency_ms),     .max = LATENCY_MS_MAX},
    {.name = "recorded",          .type = FIELD_CHOICE,   .offset = AT(recorded),       .choices = recorded_names},
    {.name = "taken",             .type = FIELD_BOOLEAN,  .offset = AT(is_taken)},
    {.name = "status",            .type = FIELD_INTEGER,  .offset = AT(status),         .min = 200, .max = 599},
    {.name = "body",              .type = FIELD_CHOICE,   .offset = AT(body),           .choices = body_names},
    {.name = "retryAfter",        .type = FIELD_HEADER,   .offset = AT(retry_after),    .max = ANSWER_TEXT_BYTES - 1},
    {.name = "contentType",       .type = FIELD_HEADER,   .offset = AT(content_type),   .max = ANSWER_TEXT_BYTES - 1},
    {.name = "text",              .type = FIELD_TEXT,     .offset = AT(text),           .max = FAULT_BODY_BYTES_MAX},
    {.name = "bytes",             .type = FIELD_INTEGER,  .offset = AT(bytes),          .min = 1, .max = LARGE_BYTES_MAX},
    {.name = "code",              .type = FIELD_TEXT,     .offset = AT(code),           .max = ANSWER_TEXT_BYTES - 1},
    {.name = "message",           .type = FIELD_TEXT,     .offset = AT(message),        .max = FAULT_TEXT_BYTES_MAX},
    {.name = "withData",          .type = FIELD_BOOLEAN,  .offset = AT(has_data)},
    {.name = "withExtensions",    .type = FIELD_BOOLEAN,  .offset = AT(has_extensions)},
};
/* clang-format on */
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

const char *fault_name(const struct fault *fault)
{
    return kind_names[fault->kind];
}

static bool read_kind(const struct json_value *object, unsigned *out, struct error *error)
{
    struct json_text name;
    if (!json_member_text(object, "kind", &name))
        return error_set(error, ERROR_INVALID, "kind: it must be given, and a string");
    for (unsigned i = 0; i < FAULT_KIND_COUNT; i++)
        if (strcmp(kind_names[i], name.bytes) == 0) {
            *out = i;
            return true;
        }
    return error_set(error, ERROR_INVALID, "kind: there is no \"%.40s\"", name.bytes);
}

static struct fault fault_of_kind(unsigned number)
{
    const struct kind *kind = &kinds[number];
    struct fault fault = {
        .kind = number,
        .count = FAULT_COUNT_UNSET,
        .probability = 1,
        .status = kind->effect == EFFECT_STATUS ? 503 : 200,
        .bytes = kind->effect == EFFECT_LARGE_HEAD ? LARGE_HEAD_BYTES : LARGE_BYTES,
        .latency_ms = kind->latency_ms,
        .is_taken = kind->is_taken,
        .has_data = kind->has_data,
        .has_extensions = !kind->lacks_extensions,
    };
    (void)snprintf(fault.content_type, sizeof fault.content_type, "%s", content_type_json);
    if (kind->effect == EFFECT_ERROR) {
        (void)snprintf(fault.code, sizeof fault.code, "%s", kind->code);
        (void)snprintf(fault.message, sizeof fault.message, "%s", kind->message);
    }
    return fault;
}

bool fault_read(const struct json_value *object, struct fault *out, struct error *error)
{
    unsigned kind = 0;
    if (!read_kind(object, &kind, error))
        return false;
    struct fault fault = fault_of_kind(kind);
    if (!fields_read(fields, FIELD_COUNT, object, &fault, error))
        return false;
    if ((kinds[kind].targets & 1U << fault.target) == 0)
        return error_set(error, ERROR_INVALID, "kind: \"%s\" is only for \"on\":\"graphql\"",
                         kind_names[kind]);
    /* A fault that picks its calls goes on; a plain one is for the next call. */
    if (fault.count == FAULT_COUNT_UNSET)
        fault.count =
            json_has_member(object, "probability") || fault.seek_token_contains[0] != '\0' ? 0 : 1;
    *out = fault;
    return true;
}

bool fault_write(const struct fault *fault, struct buffer *buffer, struct error *error)
{
    return fields_write(fields, FIELD_COUNT, fault, buffer, error);
}

static void apply_status(const struct fault *fault, struct sandbox_answer *answer)
{
    answer->status = (unsigned)fault->status;
    buffer_clear(&answer->body);
    if (fault->retry_after[0] != '\0') {
        answer->header_name = "Retry-After";
        memcpy(answer->header_value, fault->retry_after, sizeof answer->header_value);
    }
    answer->content_type = fault->body == FAULT_BODY_JSON ? content_type_json : "text/html";
    if (fault->body == FAULT_BODY_HTML)
        answer_format(answer,
                      "<html><head><title>%u</title></head><body><h1>%u</h1></body></html>\n",
                      answer->status, answer->status);
    else if (fault->body == FAULT_BODY_JSON)
        answer_format(answer, "{\"error\":\"scripted\",\"status\":%u}", answer->status);
}

static void apply_error(const struct fault *fault, struct sandbox_answer *answer)
{
    graphql_error_answer(&(struct graphql_error){.status = (unsigned)fault->status,
                                                 .code = fault->code,
                                                 .message = fault->message,
                                                 .path = "sendSignal",
                                                 .data_key = fault->has_data ? "sendSignal" : NULL,
                                                 .lacks_extensions = !fault->has_extensions},
                         answer);
}

static void apply_answer(const struct fault *fault, struct sandbox_answer *answer)
{
    answer->status = (unsigned)fault->status;
    memcpy(answer->own_content_type, fault->content_type, sizeof answer->own_content_type);
    answer->content_type = answer->own_content_type[0] != '\0' ? answer->own_content_type : NULL;
    buffer_clear(&answer->body);
    answer_text(answer, fault->text);
}

static void apply_gzip(struct sandbox_answer *answer)
{
    struct buffer coded;
    buffer_init(&coded, ANSWER_BODY_BYTES_MAX);
    if (!gzip_append_stored(&coded, answer->body.bytes, answer->body.length, NULL)) {
        answer->is_out_of_memory = true;
        buffer_fini(&coded);
        return;
    }
    buffer_fini(&answer->body);
    answer->body = coded;
    answer->header_name = "Content-Encoding";
    (void)snprintf(answer->header_value, sizeof answer->header_value, "gzip");
}

/* White space behind a document is a part of it (RFC 8259 section 2). */
static void apply_large(const struct fault *fault, struct sandbox_answer *answer)
{
    static const char spaces[] = "                                                                ";
    while (answer->body.length < (size_t)fault->bytes && !answer->is_out_of_memory) {
        size_t lacks = (size_t)fault->bytes - answer->body.length;
        size_t count = lacks < sizeof spaces - 1 ? lacks : sizeof spaces - 1;
        answer->is_out_of_memory = !buffer_append(&answer->body, spaces, count, NULL);
    }
}

static void apply_effect(const struct fault *fault, struct sandbox_answer *answer)
{
    const struct kind *kind = &kinds[fault->kind];
    switch (kind->effect) {
    case EFFECT_STATUS:
        apply_status(fault, answer);
        return;
    case EFFECT_ERROR:
        apply_error(fault, answer);
        return;
    case EFFECT_ENDING:
        answer->ending = kind->ending;
        return;
    case EFFECT_BODY:
        answer->status = 200;
        buffer_clear(&answer->body);
        answer_text(answer, kind->message);
        return;
    case EFFECT_TYPE:
        answer->content_type = "application/graphql-response+json; charset=utf-8";
        return;
    case EFFECT_HALF:
        buffer_truncate(&answer->body, answer->body.length / 2);
        return;
    case EFFECT_ANSWER:
        apply_answer(fault, answer);
        return;
    case EFFECT_GZIP:
        apply_gzip(answer);
        return;
    case EFFECT_LARGE:
        apply_large(fault, answer);
        return;
    case EFFECT_LARGE_HEAD:
        answer->ending = kind->ending;
        answer->head_bytes = (size_t)fault->bytes;
        return;
    }
}

void fault_apply(const struct fault *fault, struct sandbox_answer *answer)
{
    char outcome[ANSWER_TEXT_BYTES];
    memcpy(outcome, answer->outcome, sizeof outcome);
    apply_effect(fault, answer);
    /* The ledger tells what became of the call at SEEK; what the caller saw is in the fault. */
    if (fault->is_taken)
        memcpy(answer->outcome, outcome, sizeof outcome);
    else if (kinds[fault->kind].effect != EFFECT_ERROR)
        (void)snprintf(answer->outcome, sizeof answer->outcome, "%s", fault_name(fault));
    answer->is_delivered = answer->is_delivered && fault->is_taken;
}
