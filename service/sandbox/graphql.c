/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/graphql.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/sandbox/graphql_document.h"
#include "service/sandbox/graphql_error.h"

enum { NAME_SHOWN_MAX = 64 };

/* One call on its way through the checks. Each check returns whether to go on; when not, the answer
 * is complete. */
struct check {
    const struct behaviour *behaviour;
    const struct oauth *oauth;
    const struct incoming *incoming;
    struct graphql_call *call;
    struct sandbox_answer *answer;
    const struct json_value *input; /* the variable's value */
    struct graphql_document document;
    char response_key[NAME_SHOWN_MAX + 1];
    enum oauth_verdict authorization;
};

void graphql_call_fini(struct graphql_call *call)
{
    json_destroy(call->json);
    call->json = NULL;
}

static bool refuse(struct check *check, unsigned status, const char *code, const char *message)
{
    graphql_error_answer(
        &(struct graphql_error){.status = status, .code = code, .message = message}, check->answer);
    return false;
}

/* An error of the field itself: SEEK's samples show it with a path and, for what is known only
 * after the field was run, with null data. */
static bool fail_field(struct check *check, const char *code, const char *message, bool has_data)
{
    graphql_error_answer(&(struct graphql_error){.code = code,
                                                 .message = message,
                                                 .path = check->response_key,
                                                 .data_key = has_data ? check->response_key : NULL},
                         check->answer);
    return false;
}

static bool check_http(struct check *check)
{
    struct sandbox_answer *answer = check->answer;
    if (strcmp(check->incoming->method, "POST") != 0) {
        answer->header_name = "Allow";
        (void)snprintf(answer->header_value, sizeof answer->header_value, "POST");
        return refuse(check, 405, "METHOD_NOT_ALLOWED", "use POST");
    }
    if (!incoming_is_json(check->incoming))
        return refuse(check, 415, "UNSUPPORTED_MEDIA_TYPE",
                      "the Content-Type header must be application/json");
    struct error error;
    check->call->json = json_parse(check->incoming->body, check->incoming->body_length, &error);
    if (check->call->json == NULL) {
        check->answer->is_out_of_memory |= error.kind == ERROR_MEMORY;
        return refuse(check, 400, "BAD_REQUEST", error.message);
    }
    return true;
}

static bool check_envelope(struct check *check)
{
    const struct json_value *root = json_root(check->call->json);
    if (json_type(root) != JSON_OBJECT)
        return refuse(check, 400, "BAD_REQUEST", "the body must be a JSON object");
    const struct json_value *variables = json_member(root, "variables");
    if (json_type(variables) == JSON_STRING)
        return refuse(check, 400, "BAD_REQUEST",
                      "variables must be a JSON object, not a string that contains one");
    if (json_type(variables) != JSON_OBJECT && json_type(variables) != JSON_NULL)
        return refuse(check, 400, "BAD_REQUEST", "variables must be a JSON object");
    struct json_text query;
    if (!json_member_text(root, "query", &query))
        return refuse(check, 400, "BAD_REQUEST", "query must be a string");
    const char *reason = NULL;
    if (!graphql_document_parse(query.bytes, query.length, &check->document, &reason))
        return refuse(check, 200, "GRAPHQL_PARSE_FAILED", reason);
    return true;
}

static int shown_length(struct json_text name)
{
    return name.length < NAME_SHOWN_MAX ? (int)name.length : NAME_SHOWN_MAX;
}

static bool refuse_field(struct check *check)
{
    char message[REASON_BYTES];
    const struct graphql_document *document = &check->document;
    bool is_left_out = document->is_mutation && graphql_name_is(document->field, "sendSignals");
    (void)snprintf(message, sizeof message,
                   is_left_out ? "this stand-in does not imitate \"%.*s\"; send one signal per "
                                 "request with sendSignal"
                               : "Cannot query field \"%.*s\"",
                   shown_length(document->field), document->field.bytes);
    return refuse(check, 200, "GRAPHQL_VALIDATION_FAILED", message);
}

static bool answer_version(struct check *check)
{
    answer_begin(check->answer, 200, "version");
    answer_format(check->answer,
                  "{\"data\":{\"%s\":\"abcdefa.12345\"},\"extensions\":{\"requestLatency\":1}}",
                  check->response_key);
    return false;
}

static bool is_same_name(struct json_text a, struct json_text b)
{
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

static bool check_document(struct check *check)
{
    const struct graphql_document *document = &check->document;
    (void)snprintf(check->response_key, sizeof check->response_key, "%.*s",
                   shown_length(document->response_key), document->response_key.bytes);
    if (!document->is_mutation && graphql_name_is(document->field, "version") &&
        document->argument.length == 0 && document->variable.length == 0)
        return answer_version(check);
    if (!document->is_mutation || !graphql_name_is(document->field, "sendSignal"))
        return refuse_field(check);
    if (!graphql_name_is(document->argument, "input"))
        return refuse(check, 200, "GRAPHQL_VALIDATION_FAILED",
                      "Field \"sendSignal\" argument \"input\" of type \"SendSignalInput!\" is "
                      "required");
    if (document->variable.length == 0 ||
        !is_same_name(document->variable, document->argument_variable))
        return refuse(check, 200, "GRAPHQL_VALIDATION_FAILED",
                      "the variable of argument \"input\" is not defined");
    if (!graphql_name_is(document->variable_type, "SendSignalInput") ||
        !document->is_variable_required)
        return refuse(check, 200, "GRAPHQL_VALIDATION_FAILED",
                      "the variable must be of type \"SendSignalInput!\"");
    return true;
}

static bool check_shape(struct check *check)
{
    char name[NAME_SHOWN_MAX + 1];
    (void)snprintf(name, sizeof name, "%.*s", shown_length(check->document.variable),
                   check->document.variable.bytes);
    const struct json_value *input =
        json_member(json_member(json_root(check->call->json), "variables"), name);
    signal_input_read(input, &check->call->input);
    char reason[REASON_BYTES];
    if (!signal_input_check_shape(input, reason))
        return refuse(check, 200, "BAD_USER_INPUT", reason);
    return true;
}

static bool check_authorization(struct check *check)
{
    static const char *const reasons[] = {
        [OAUTH_MISSING] = "Authorization header missing",
        [OAUTH_INVALID] = "Partner token is not valid",
        [OAUTH_EXPIRED] = "Partner token is expired",
        [OAUTH_LIVE] = NULL,
        [OAUTH_PLAYGROUND] = NULL,
    };
    check->authorization =
        oauth_check(check->oauth, check->incoming->authorization, check->incoming->now_ms);
    const char *reason = reasons[check->authorization];
    if (reason != NULL)
        return fail_field(check, "UNAUTHENTICATED", reason, false);
    check->answer->is_authorized = true;
    return true;
}

static bool check_values(struct check *check)
{
    char reason[REASON_BYTES];
    if (!signal_input_check_values(&check->call->input, reason))
        return fail_field(check, "BAD_USER_INPUT", reason, true);
    return true;
}

/* Only a seek-token that names its scheme can be on the wrong side; the others carry none. */
static bool is_of_other_environment(const char *seek_token, bool is_playground)
{
    static const struct {
        const char *prefix;
        bool is_playground;
    } schemes[] = {
        {"globalPublicTest-", true},
        {"seekAnzPublicTest-", true},
        {"global-", false},
        {"seekAnz-", false},
    };
    for (size_t i = 0; seek_token != NULL && i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(seek_token, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
            return schemes[i].is_playground != is_playground;
    return false;
}

static bool check_environment(struct check *check)
{
    bool is_playground =
        check->authorization == OAUTH_PLAYGROUND || check->behaviour->is_playground;
    if (is_of_other_environment(check->call->input.seek_token.bytes, is_playground))
        return fail_field(check, "UNAUTHENTICATED",
                          is_playground ? "Playground partner token used on live data"
                                        : "Live partner token used on Playground data",
                          false);
    if (is_playground)
        return fail_field(check, "FORBIDDEN", "The Playground is read-only", true);
    return true;
}

static bool deliver(struct check *check)
{
    answer_begin(check->answer, 200, "delivered");
    check->answer->is_delivered = true;
    answer_format(check->answer, "{\"data\":{\"%s\":%s},\"extensions\":{\"requestLatency\":1}}",
                  check->response_key, check->behaviour->is_success_true ? "true" : "null");
    return true;
}

void graphql_answer(const struct behaviour *behaviour, const struct oauth *oauth,
                    const struct incoming *incoming, struct graphql_call *out,
                    struct sandbox_answer *answer)
{
    /* The order of a GraphQL server: transport, document, variables, then the field itself. */
    static bool (*const checks[])(struct check *) = {
        check_http,          check_envelope, check_document,    check_shape,
        check_authorization, check_values,   check_environment, deliver,
    };
    *out = (struct graphql_call){.json = NULL};
    struct check check = {.behaviour = behaviour,
                          .oauth = oauth,
                          .incoming = incoming,
                          .call = out,
                          .answer = answer};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && checks[i](&check); i++)
        continue;
}
