/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/sandbox/graphql.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

enum { NOW_MS = 5000 };

#define MUTATION "mutation ($input: SendSignalInput!) {\\n  sendSignal(input: $input)\\n}"
#define REQUEST(variables) "{\"query\":\"" MUTATION "\",\"variables\":" variables "}"
#define INPUT(members) REQUEST("{\"input\":{" members "}}")
#define COMPLETE(token) "\"typeCode\":\"ApplicationComplete\",\"token\":\"" token "\""
#define GOOD INPUT(COMPLETE("93WyyF1h6eaeb58c") ",\"timestamp\":\"2020-01-02T00:00:00.000Z\"")

struct endpoint {
    struct oauth *oauth;
    struct behaviour behaviour;
    struct incoming incoming;
    struct graphql_call call;
    struct sandbox_answer answer;
    char live[128], playground[128];
};

static void get_access_token(struct endpoint *endpoint, const char *audience, char header[128])
{
    char body[256];
    struct sandbox_answer answer;
    (void)snprintf(body, sizeof body,
                   "{\"audience\":\"%s\",\"client_id\":\"a\",\"client_secret\":\"b\","
                   "\"grant_type\":\"client_credentials\"}",
                   audience);
    struct incoming incoming = {.method = "POST",
                                .content_type = "application/json",
                                .body = body,
                                .body_length = strlen(body),
                                .now_ms = NOW_MS};
    answer_init(&answer);
    oauth_answer(endpoint->oauth, &endpoint->behaviour, &incoming, &answer);
    AUTO(json) *json = json_parse(answer.body.bytes, answer.body.length, NULL);
    struct json_text text;
    assert_true(json_member_text(json_root(json), "access_token", &text));
    (void)snprintf(header, 128, "Bearer %s", text.bytes);
    answer_fini(&answer);
}

static int begin(void **state)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    assert_non_null(endpoint);
    endpoint->oauth = oauth_create(NULL);
    endpoint->behaviour = behaviour_default;
    get_access_token(endpoint, "https://graphql.seek.com", endpoint->live);
    get_access_token(endpoint, "https://test.graphql.seek.com", endpoint->playground);
    endpoint->incoming = (struct incoming){.method = "POST",
                                           .content_type = "application/json; charset=utf-8",
                                           .authorization = endpoint->live,
                                           .now_ms = NOW_MS};
    answer_init(&endpoint->answer);
    *state = endpoint;
    return 0;
}

static int end(void **state)
{
    struct endpoint *endpoint = *state;
    graphql_call_fini(&endpoint->call);
    answer_fini(&endpoint->answer);
    oauth_destroy(endpoint->oauth);
    free(endpoint);
    return 0;
}

static void send(struct endpoint *endpoint, const char *body)
{
    graphql_call_fini(&endpoint->call);
    endpoint->answer.is_authorized = endpoint->answer.is_delivered = false;
    endpoint->incoming.body = body;
    endpoint->incoming.body_length = strlen(body);
    graphql_answer(&endpoint->behaviour, endpoint->oauth, &endpoint->incoming, &endpoint->call,
                   &endpoint->answer);
}

static void must_answer(struct endpoint *endpoint, const char *request, const char *body)
{
    send(endpoint, request);
    assert_string_equal(endpoint->answer.body.bytes, body);
    assert_int_equal(endpoint->answer.status, 200);
    assert_string_equal(endpoint->answer.content_type, "application/json; charset=utf-8");
}

static void must_fail(struct endpoint *endpoint, const char *request, unsigned status,
                      const char *code, const char *message)
{
    send(endpoint, request);
    const struct sandbox_answer *answer = &endpoint->answer;
    if (answer->status != status || strcmp(answer->outcome, code) != 0 ||
        strstr(answer->body.bytes, message) == NULL)
        fail_msg("expected %u %s %s, got %u %s %s\nfor %s", status, code, message, answer->status,
                 answer->outcome, answer->body.bytes, request);
    assert_false(answer->is_delivered);
    AUTO(json) *json = json_parse(answer->body.bytes, answer->body.length, NULL);
    assert_non_null(json); /* whatever it quotes, it stays JSON */
}

static void answers_the_version_without_credentials(void **state)
{
    struct endpoint *endpoint = *state;
    endpoint->incoming.authorization = NULL;
    must_answer(endpoint, "{\"query\":\"{ version }\"}",
                "{\"data\":{\"version\":\"abcdefa.12345\"},\"extensions\":{\"requestLatency\":1}}");
    assert_string_equal(endpoint->answer.outcome, "version");
    assert_false(endpoint->answer.is_delivered);
    must_answer(endpoint, "{\"query\":\"{ v: version }\",\"variables\":null}",
                "{\"data\":{\"v\":\"abcdefa.12345\"},\"extensions\":{\"requestLatency\":1}}");
}

static void takes_a_signal(void **state)
{
    struct endpoint *endpoint = *state;
    must_answer(endpoint, GOOD,
                "{\"data\":{\"sendSignal\":true},\"extensions\":{\"requestLatency\":1}}");
    assert_string_equal(endpoint->answer.outcome, "delivered");
    assert_true(endpoint->answer.is_delivered);
    assert_true(endpoint->answer.is_authorized);
    assert_string_equal(endpoint->call.input.seek_token.bytes, "93WyyF1h6eaeb58c");
    assert_string_equal(endpoint->call.input.timestamp.bytes, "2020-01-02T00:00:00.000Z");
    assert_string_equal(endpoint->call.input.type_code.bytes, "ApplicationComplete");
}

static void answers_null_when_told_to(void **state)
{
    struct endpoint *endpoint = *state;
    endpoint->behaviour.is_success_true = false;
    must_answer(endpoint, GOOD,
                "{\"data\":{\"sendSignal\":null},\"extensions\":{\"requestLatency\":1}}");
    assert_true(endpoint->answer.is_delivered);
}

static void takes_every_documented_form(void **state)
{
    struct endpoint *endpoint = *state;
    static const char *const requests[] = {
        INPUT(COMPLETE("t")),
        INPUT(COMPLETE("t") ",\"timestamp\":null"),
        INPUT(COMPLETE("eyJqb2JJZCI6MCwiY2FuZGlkYXRlSWQiOjAsInNlc3Npb25JZCI6IiJ9")),
        INPUT(COMPLETE("a+b/c==")),
        INPUT(COMPLETE("100%")),
        INPUT("\"typeCode\":\"ApplicationStatusUpdate\",\"token\":\"t\",\"current\":{\"name\":{}},"
              "\"previous\":{}"),
        INPUT("\"typeCode\":\"ApplicationStatusUpdate\",\"candidateApplicationProfileId\":\"p\""),
        INPUT("\"typeCode\":\"PositionStatusUpdate\",\"positionProfileIds\":[\"p\"]"),
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        send(endpoint, requests[i]);
        if (!endpoint->answer.is_delivered)
            fail_msg("%s: %s", requests[i], endpoint->answer.body.bytes);
    }
}

static void asks_for_a_post_of_json(void **state)
{
    struct endpoint *endpoint = *state;
    endpoint->incoming.content_type = "text/plain";
    must_fail(endpoint, GOOD, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json");
    endpoint->incoming.content_type = NULL;
    must_fail(endpoint, GOOD, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json");
    endpoint->incoming.method = "GET";
    must_fail(endpoint, "", 405, "METHOD_NOT_ALLOWED", "POST");
    assert_string_equal(endpoint->answer.header_name, "Allow");
    assert_string_equal(endpoint->answer.header_value, "POST");
}

static void asks_for_a_well_formed_envelope(void **state)
{
    struct endpoint *endpoint = *state;
    must_fail(endpoint, "", 400, "BAD_REQUEST", "");
    must_fail(endpoint, "{\"query\":", 400, "BAD_REQUEST", "");
    must_fail(endpoint, "[]", 400, "BAD_REQUEST", "JSON object");
    must_fail(endpoint, "{}", 400, "BAD_REQUEST", "query must be a string");
    must_fail(endpoint, REQUEST("\"{\\\"input\\\":{}}\""), 400, "BAD_REQUEST",
              "not a string that contains one");
    must_fail(endpoint, REQUEST("[]"), 400, "BAD_REQUEST", "variables must be a JSON object");
}

static void checks_the_query(void **state)
{
    struct endpoint *endpoint = *state;
    must_fail(endpoint, "{\"query\":\"{\"}", 200, "GRAPHQL_PARSE_FAILED", "name of a field");
    must_fail(endpoint, "{\"query\":\"{ nothing }\"}", 200, "GRAPHQL_VALIDATION_FAILED", "nothing");
    must_fail(endpoint, "{\"query\":\"{ sendSignal }\"}", 200, "GRAPHQL_VALIDATION_FAILED",
              "Cannot query");
    must_fail(endpoint,
              "{\"query\":\"mutation ($i: SendSignalsInput!) { sendSignals(input: $i) }\"}", 200,
              "GRAPHQL_VALIDATION_FAILED", "does not imitate");
    must_fail(endpoint, "{\"query\":\"mutation { sendSignal }\"}", 200, "GRAPHQL_VALIDATION_FAILED",
              "is required");
    must_fail(endpoint, "{\"query\":\"mutation { sendSignal(input: $input) }\"}", 200,
              "GRAPHQL_VALIDATION_FAILED", "not defined");
    must_fail(endpoint,
              "{\"query\":\"mutation ($other: SendSignalInput!) { sendSignal(input: $input) }\"}",
              200, "GRAPHQL_VALIDATION_FAILED", "not defined");
    must_fail(endpoint,
              "{\"query\":\"mutation ($input: SendSignalInput) { sendSignal(input: $input) }\"}",
              200, "GRAPHQL_VALIDATION_FAILED", "SendSignalInput!");
}

static void checks_the_shape_of_the_input(void **state)
{
    struct endpoint *endpoint = *state;
    static const struct {
        const char *request, *message;
    } cases[] = {
        {REQUEST("{}"), "to be an object"},
        {REQUEST("{\"input\":\"x\"}"), "to be an object"},
        {INPUT("\"token\":\"t\""), "typeCode"},
        {INPUT(COMPLETE("t") ",\"schemeId\":\"global\""), "\\\"schemeId\\\" is not defined"},
        {INPUT(COMPLETE("t") ",\"\\u0074\":1"), "\\\"t\\\" is not defined"},
        {INPUT("\"typeCode\":\"ApplicationComplete\",\"token\":7"), "input.token"},
        {INPUT(COMPLETE("t") ",\"timestamp\":1577923200000"), "input.timestamp"},
        {INPUT(COMPLETE("t") ",\"timestamp\":\"\""), "input.timestamp"},
        {INPUT(COMPLETE("t") ",\"timestamp\":\"2020-01-02\""), "input.timestamp"},
        {INPUT(COMPLETE("t") ",\"timestamp\":\"2020-01-02T00:00:00+10:00\""), "input.timestamp"},
        {INPUT(COMPLETE("t") ",\"timestamp\":\"2020-13-02T00:00:00Z\""), "input.timestamp"},
        {INPUT(COMPLETE("t") ",\"positionProfileIds\":\"p\""), "positionProfileIds"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        must_fail(endpoint, cases[i].request, 200, "BAD_USER_INPUT", cases[i].message);
}

static void refuses_a_seek_token_that_was_encoded_or_padded(void **state)
{
    struct endpoint *endpoint = *state;
    static const char *const requests[] = {
        INPUT(COMPLETE("")),
        INPUT(COMPLETE(" t")),
        INPUT(COMPLETE("t ")),
        INPUT(COMPLETE("a b")),
        INPUT(COMPLETE("t\\n")),
        INPUT(COMPLETE("a%3D")),
        INPUT(COMPLETE("a%2bb")),
        INPUT(COMPLETE("a\\u0001")),
        INPUT("\"typeCode\":\"ApplicationComplete\""),
        INPUT("\"typeCode\":\"ApplicationComplete\",\"token\":null"),
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        must_fail(endpoint, requests[i], 200, "BAD_USER_INPUT", "\"/input/token: Is not valid\"");
    must_fail(endpoint, INPUT("\"typeCode\":\"Other\",\"token\":\"t\""), 200, "BAD_USER_INPUT",
              "\"/input/typeCode: Is not valid\"");
}

static void asks_for_an_access_token(void **state)
{
    struct endpoint *endpoint = *state;
    endpoint->incoming.authorization = NULL;
    must_answer(
        endpoint, GOOD,
        "{\"errors\":[{\"message\":\"Authorization header missing\",\"locations\":[{\"line\":"
        "2,\"column\":3}],\"path\":[\"sendSignal\"],\"extensions\":{\"code\":"
        "\"UNAUTHENTICATED\"}}]}");
    assert_false(endpoint->answer.is_authorized);
    /* What was sent is known all the same. */
    assert_string_equal(endpoint->call.input.seek_token.bytes, "93WyyF1h6eaeb58c");
    endpoint->incoming.authorization = "Bearer unknown";
    must_fail(endpoint, GOOD, 200, "UNAUTHENTICATED", "not valid");
    endpoint->incoming.authorization = endpoint->live;
    endpoint->incoming.now_ms = NOW_MS + 1800 * 1000;
    must_fail(endpoint, GOOD, 200, "UNAUTHENTICATED", "expired");
    assert_null(strstr(endpoint->answer.body.bytes, "\"data\""));
}

static void forbids_everything_valid_in_the_playground(void **state)
{
    struct endpoint *endpoint = *state;
    const char *forbidden =
        "{\"errors\":[{\"message\":\"The Playground is read-only\",\"locations\":[{\"line\":2,"
        "\"column\":3}],\"path\":[\"sendSignal\"],\"extensions\":{\"code\":\"FORBIDDEN\"}}],"
        "\"data\":{\"sendSignal\":null}}";
    endpoint->incoming.authorization = endpoint->playground;
    must_answer(endpoint, GOOD, forbidden);
    must_answer(endpoint, INPUT(COMPLETE("globalPublicTest-WfRFAhG25YC8")), forbidden);
    must_fail(endpoint, INPUT(COMPLETE("a b")), 200, "BAD_USER_INPUT", "/input/token");
    endpoint->incoming.authorization = endpoint->live;
    endpoint->behaviour.is_playground = true;
    must_answer(endpoint, GOOD, forbidden);
}

static void tells_playground_from_live_seek_tokens(void **state)
{
    struct endpoint *endpoint = *state;
    must_fail(endpoint, INPUT(COMPLETE("globalPublicTest-WfRFAhG25YC8")), 200, "UNAUTHENTICATED",
              "Playground");
    assert_null(strstr(endpoint->answer.body.bytes, "\"data\""));
    send(endpoint, INPUT(COMPLETE("global-WfRFAhG25YC8")));
    assert_true(endpoint->answer.is_delivered);
    endpoint->incoming.authorization = endpoint->playground;
    must_fail(endpoint, INPUT(COMPLETE("global-WfRFAhG25YC8")), 200, "UNAUTHENTICATED",
              "live data");
}

static void answers_under_the_alias(void **state)
{
    struct endpoint *endpoint = *state;
    must_answer(endpoint,
                "{\"query\":\"mutation ($s: SendSignalInput!) { done: sendSignal(input: $s) }\","
                "\"variables\":{\"s\":{" COMPLETE("t") "}}}",
                "{\"data\":{\"done\":true},\"extensions\":{\"requestLatency\":1}}");
}

static void says_when_memory_is_out(void **state)
{
    struct endpoint *endpoint = *state;
    bool has_failed = true;
    for (unsigned n = 0; has_failed; n++) {
        endpoint->answer.is_out_of_memory = false;
        failing_malloc_arm(n);
        send(endpoint, GOOD);
        has_failed = failing_malloc_disarm();
        assert_true(endpoint->answer.is_out_of_memory || endpoint->answer.is_delivered);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("answers the version without credentials", answers_the_version_without_credentials,
                begin, end),
        IT_WITH("takes a signal", takes_a_signal, begin, end),
        IT_WITH("answers null when told to", answers_null_when_told_to, begin, end),
        IT_WITH("takes every documented form", takes_every_documented_form, begin, end),
        IT_WITH("asks for a POST of JSON", asks_for_a_post_of_json, begin, end),
        IT_WITH("asks for a well-formed envelope", asks_for_a_well_formed_envelope, begin, end),
        IT_WITH("checks the query", checks_the_query, begin, end),
        IT_WITH("checks the shape of the input", checks_the_shape_of_the_input, begin, end),
        IT_WITH("refuses a seek-token that was encoded or padded",
                refuses_a_seek_token_that_was_encoded_or_padded, begin, end),
        IT_WITH("asks for an access token", asks_for_an_access_token, begin, end),
        IT_WITH("forbids everything valid in the Playground",
                forbids_everything_valid_in_the_playground, begin, end),
        IT_WITH("tells Playground from live seek-tokens", tells_playground_from_live_seek_tokens,
                begin, end),
        IT_WITH("answers under the alias", answers_under_the_alias, begin, end),
        IT_WITH("says when memory is out", says_when_memory_is_out, begin, end),
    };
    return cmocka_run_group_tests_name("sandbox_graphql", tests, NULL, NULL);
}
