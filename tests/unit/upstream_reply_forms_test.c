/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* Answers in forms that nobody documents: read all the same, or told in their own words. */
#include <string.h>

#include "service/domain/upstream_reply.h"

#include "tests/support/specification.h"

#define ERROR(code, message)                                                                       \
    "{\"message\":\"" message "\",\"path\":[\"sendSignal\"],\"extensions\":{\"code\":\"" code "\"" \
    "}}"
#define ERRORS(list) "{\"errors\":[" list "],\"data\":{\"sendSignal\":null}}"
#define ONE(code) ERRORS(ERROR(code, "m"))

struct form_expectation {
    unsigned status;
    const char *body;
    enum verdict_class class;
    const char *code;
    const char *message; /* NULL: ours, whatever it says */
};

static struct verdict classify(unsigned status, const char *body)
{
    const struct upstream_reply reply = {
        .status = status, .body = body, .body_length = strlen(body)};
    struct verdict verdict;
    upstream_reply_classify(&reply, 0, &verdict);
    return verdict;
}

static void must_classify(const struct form_expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct verdict verdict = classify(cases[i].status, cases[i].body);
        if (verdict.class != cases[i].class || strcmp(verdict.code, cases[i].code) != 0)
            fail_msg("%u %s: %s, %s", cases[i].status, cases[i].body,
                     verdict_class_name(verdict.class), verdict.code);
        if (cases[i].message != NULL)
            assert_string_equal(verdict.message, cases[i].message);
        else
            assert_true(verdict.message[0] != '\0');
        assert_int_equal(verdict.http_status, cases[i].status);
        assert_int_equal(verdict.retry_after_ms, -1);
    }
}
#define MUST_CLASSIFY(cases) must_classify(cases, sizeof(cases) / sizeof(cases)[0])

#define WORDS(message) ERRORS("{\"message\":\"" message "\"}")

/* What GraphQL servers say of a request whose form they do not take, at whatever status. */
static void kills_nothing_for_the_form_of_our_request(void **state)
{
    (void)state;
    static const struct form_expectation cases[] = {
        {400, ONE("GRAPHQL_VALIDATION_FAILED"), VERDICT_MISCONFIGURED, "GRAPHQL_VALIDATION_FAILED",
         "m"},
        {200, ONE("GRAPHQL_VALIDATION_FAILED"), VERDICT_MISCONFIGURED, "GRAPHQL_VALIDATION_FAILED",
         "m"},
        {200, ONE("GRAPHQL_PARSE_FAILED"), VERDICT_MISCONFIGURED, "GRAPHQL_PARSE_FAILED", "m"},
        {500, ONE("GRAPHQL_PARSE_FAILED"), VERDICT_MISCONFIGURED, "GRAPHQL_PARSE_FAILED", "m"},
        {200, ONE("OPERATION_RESOLUTION_FAILURE"), VERDICT_MISCONFIGURED,
         "OPERATION_RESOLUTION_FAILURE", "m"},
        {400, ONE("PERSISTED_QUERY_NOT_SUPPORTED"), VERDICT_MISCONFIGURED,
         "PERSISTED_QUERY_NOT_SUPPORTED", "m"},
        {400, ONE("BAD_REQUEST"), VERDICT_MISCONFIGURED, "BAD_REQUEST", "m"},
        {400,
         ERRORS(ERROR("BAD_USER_INPUT", "Variable \\\"$input\\\" got invalid value; Field "
                                        "\\\"consent\\\" of required type was not provided.")),
         VERDICT_MISCONFIGURED, "BAD_USER_INPUT",
         "Variable \"$input\" got invalid value; Field \"consent\" of required type was not "
         "provided."},
        {200, ERRORS(ERROR("BAD_USER_INPUT", "Variable \\\"$input\\\" of required type")),
         VERDICT_MISCONFIGURED, "BAD_USER_INPUT", NULL},
        {400, ERRORS(ERROR("BAD_USER_INPUT", "/input/token: Is not valid")), VERDICT_REFUSED,
         "BAD_USER_INPUT", NULL},
        {400, ERRORS(ERROR("BAD_USER_INPUT", "a Variable \\\"$input\\\"")), VERDICT_REFUSED,
         "BAD_USER_INPUT", NULL},
        {200,
         ERRORS(
             ERROR("BAD_USER_INPUT", "/input/token: no") "," ERROR("BAD_USER_INPUT", "Variable x")),
         VERDICT_MISCONFIGURED, "BAD_USER_INPUT", NULL},
        /* graphql-http gives them no code and the status 200. */
        {200, WORDS("Variable \\\"$input\\\" got invalid value { typeCode: 1 }"),
         VERDICT_MISCONFIGURED, "NO_CODE", NULL},
        {200, WORDS("Cannot query field \\\"sendSignal\\\" on type \\\"Mutation\\\"."),
         VERDICT_MISCONFIGURED, "NO_CODE", NULL},
        {200, WORDS("Unknown type \\\"SendSignalInput\\\"."), VERDICT_MISCONFIGURED, "NO_CODE",
         NULL},
        {200, WORDS("Unknown argument \\\"input\\\" on field"), VERDICT_MISCONFIGURED, "NO_CODE",
         NULL},
        {200, WORDS("Field \\\"sendSignal\\\" of type \\\"Result\\\" must have a selection"),
         VERDICT_MISCONFIGURED, "NO_CODE", NULL},
        {200, WORDS("Syntax Error: Unexpected <EOF>."), VERDICT_MISCONFIGURED, "NO_CODE", NULL},
        {200, WORDS("Schema is not configured to execute mutation operation."),
         VERDICT_MISCONFIGURED, "NO_CODE", NULL},
        {200, WORDS("the Variable has a Syntax Error: no"), VERDICT_TRANSIENT, "NO_CODE", NULL},
        {500, ERRORS(ERROR("INTERNAL_SERVER_ERROR", "Unknown type of trouble")), VERDICT_TRANSIENT,
         "INTERNAL_SERVER_ERROR", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict = classify(cases[i].status, cases[i].body);
        assert_int_equal(verdict.class, cases[i].class);
        assert_string_equal(verdict.code, cases[i].code);
        if (cases[i].message != NULL)
            assert_string_equal(verdict.message, cases[i].message);
    }
}

/* SEEK's meaning must not be lost over a character that nobody looks at. */
static void reads_what_is_not_quite_json(void **state)
{
    (void)state;
    static const struct form_expectation cases[] = {
        {200, "\xef\xbb\xbf{\"data\":{\"sendSignal\":true}}", VERDICT_DELIVERED, "", ""},
        {200,
         "{\"data\":{\"sendSignal\":true},\"extensions\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]"
         "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
         VERDICT_DELIVERED, "", ""},
        {200, ERRORS(ERROR("FORBIDDEN", "a\\ud800b")), VERDICT_REFUSED, "FORBIDDEN",
         "a\xef\xbf\xbd"
         "b"},
        {200, ERRORS(ERROR("FORBIDDEN", "a\\u0000b")), VERDICT_REFUSED, "FORBIDDEN",
         "a\xef\xbf\xbd"
         "b"},
        {200, ERRORS(ERROR("FORBIDDEN", "caf\xe9")), VERDICT_REFUSED, "FORBIDDEN",
         "caf\xef\xbf\xbd"},
        {200, ERRORS(ERROR("FORBIDDEN", "a\tb")), VERDICT_REFUSED, "FORBIDDEN",
         "a\xef\xbf\xbd"
         "b"},
        {503, "\xef\xbb\xbf" ERRORS(ERROR("RATE_LIMITED", "m")), VERDICT_THROTTLED, "RATE_LIMITED",
         "m"},
    };
    MUST_CLASSIFY(cases);
}

static void says_what_was_there(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *body, *content_type, *message;
    } cases[] = {
        {503, "<html>", "text/html; charset=utf-8",
         "SEEK or a proxy answered HTTP 503 with text/html, not GraphQL"},
        {200, "{\"a\":}", "",
         "SEEK or a proxy answered HTTP 200 with a text that cannot be read: at byte 5: not a "
         "value"},
        {200, "{\"a\":}", "application/graphql-response+json",
         "SEEK or a proxy answered HTTP 200 with JSON that cannot be read: at byte 5: not a value"},
        {404, "", NULL, "SEEK or a proxy answered HTTP 404 with an empty body, not GraphQL"},
        {200, "{\"error\":\"invalid_token\",\"error_description\":\"it has expired\"}", NULL,
         "SEEK or a proxy answered HTTP 200 with JSON that has neither GraphQL errors nor a "
         "success of sendSignal; it says: "
         "invalid_token: it has expired"},
        {403, "{\"message\":\"Forbidden\"}", NULL,
         "SEEK or a proxy answered HTTP 403 with JSON that has neither GraphQL errors nor a "
         "success of sendSignal; it says: Forbidden"},
        {403, "{\"error\":{\"message\":\"no\"},\"title\":7}", NULL,
         "SEEK or a proxy answered HTTP 403 with JSON that has neither GraphQL errors nor a "
         "success of sendSignal; it says: no"},
        {502, "{\"title\":\"Bad\",\"detail\":\"gateway\"}", NULL,
         "SEEK or a proxy answered HTTP 502 with JSON that has neither GraphQL errors nor a "
         "success of sendSignal; it says: Bad: "
         "gateway"},
        {200, "{\"errors\":\"all wrong\"}", NULL, "all wrong"},
        {200, "{\"errors\":[\"one\",{\"message\":\"two\"}]}", NULL, "one; two"},
        {200, "{\"errors\":{\"message\":\"alone\",\"extensions\":{\"code\":\"FORBIDDEN\"}}}", NULL,
         "alone"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct upstream_reply reply = {.status = cases[i].status,
                                             .body = cases[i].body,
                                             .body_length = strlen(cases[i].body),
                                             .content_type = cases[i].content_type};
        struct verdict verdict;
        upstream_reply_classify(&reply, 0, &verdict);
        assert_string_equal(verdict.message, cases[i].message);
    }
    assert_int_equal(classify(200, cases[10].body).class, VERDICT_REFUSED);
    assert_true(classify(200, "{\"data\":{\"sendSignal\":false}}").is_result_odd);
    assert_true(classify(200, "{\"data\":{\"sendSignal\":null}}").is_result_odd);
    assert_true(classify(200, "{\"data\":{\"sendSignal\":\"true\"}}").is_result_odd);
    assert_false(classify(200, "{\"data\":{\"sendSignal\":true}}").is_result_odd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("kills nothing for the form of our request", kills_nothing_for_the_form_of_our_request),
        IT("reads what is not quite JSON", reads_what_is_not_quite_json),
        IT("says what was there instead", says_what_was_there),
    };
    return cmocka_run_group_tests_name("upstream_reply_forms", tests, NULL, NULL);
}
