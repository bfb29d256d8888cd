/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "service/sandbox/fault.h"

#include "tests/support/specification.h"

static bool read(const char *text, struct fault *out, struct error *error)
{
    AUTO(json) *json = json_parse(text, strlen(text), error);
    assert_non_null(json);
    return fault_read(json_root(json), out, error);
}

static struct fault must_read(const char *text)
{
    struct fault fault;
    struct error error;
    if (!read(text, &fault, &error))
        fail_msg("%s: %s", text, error.message);
    return fault;
}

static void must_refuse(const char *text, const char *part)
{
    struct fault fault;
    struct error error;
    if (read(text, &fault, &error))
        fail_msg("accepted: %s", text);
    assert_int_equal(error.kind, ERROR_INVALID);
    if (strstr(error.message, part) == NULL)
        fail_msg("expected \"%s\" in \"%s\" for %s", part, error.message, text);
}

#define SUCCESS "{\"data\":{\"sendSignal\":true},\"extensions\":{\"requestLatency\":1}}"

/* What becomes of a signal that SEEK would have taken. */
static struct sandbox_answer *spoil(const char *text)
{
    struct fault fault = must_read(text);
    struct sandbox_answer *answer = malloc(sizeof *answer);
    assert_non_null(answer);
    answer_init(answer);
    answer_begin(answer, 200, "delivered");
    answer->is_delivered = true;
    answer_text(answer, SUCCESS);
    fault_apply(&fault, answer);
    return answer;
}

static void drop(struct sandbox_answer *answer)
{
    answer_fini(answer);
    free(answer);
}

static void applies_to_the_next_call_unless_it_picks_its_calls(void **state)
{
    (void)state;
    assert_int_equal(must_read("{\"kind\":\"reset\"}").count, 1);
    assert_int_equal(must_read("{\"kind\":\"reset\",\"count\":0}").count, 0);
    assert_int_equal(must_read("{\"kind\":\"reset\",\"count\":7}").count, 7);
    assert_int_equal(must_read("{\"kind\":\"reset\",\"probability\":0.5}").count, 0);
    assert_int_equal(must_read("{\"kind\":\"reset\",\"seekTokenContains\":\"x\"}").count, 0);
    assert_int_equal(must_read("{\"kind\":\"reset\",\"probability\":1,\"count\":2}").count, 2);
}

static void refuses_what_it_does_not_understand(void **state)
{
    (void)state;
    must_refuse("[]", "kind");
    must_refuse("{}", "kind");
    must_refuse("{\"kind\":\"explode\"}", "explode");
    must_refuse("{\"kind\":\"status\",\"staus\":500}", "staus: there is no such member");
    must_refuse("{\"kind\":\"status\",\"status\":99}",
                "status: expected an integer from 200 to 599");
    must_refuse("{\"kind\":\"status\",\"status\":\"503\"}", "status");
    must_refuse("{\"kind\":\"status\",\"status\":503.5}", "status");
    must_refuse("{\"kind\":\"status\",\"body\":\"pdf\"}", "body: expected one of html, json, none");
    must_refuse("{\"kind\":\"status\",\"retryAfter\":\"1\\r\\nX: y\"}", "retryAfter");
    must_refuse("{\"kind\":\"reset\",\"count\":-1}", "count");
    must_refuse("{\"kind\":\"reset\",\"probability\":1.5}", "probability");
    must_refuse("{\"kind\":\"reset\",\"on\":\"both\"}", "on: expected one of graphql, token");
    must_refuse("{\"kind\":\"reset\",\"taken\":1}", "taken: expected true or false");
    must_refuse("{\"kind\":\"rate-limited\",\"on\":\"token\"}", "only for");
}

static void answers_with_a_status(void **state)
{
    (void)state;
    struct sandbox_answer *answer = spoil("{\"kind\":\"status\",\"status\":502}");
    assert_int_equal(answer->status, 502);
    assert_string_equal(answer->content_type, "text/html");
    assert_memory_equal(answer->body.bytes, "<html>", 6);
    assert_null(answer->header_name);
    assert_string_equal(answer->outcome, "status");
    assert_false(answer->is_delivered);
    drop(answer);

    answer = spoil("{\"kind\":\"status\",\"status\":429,\"retryAfter\":30,\"body\":\"json\"}");
    assert_int_equal(answer->status, 429);
    assert_string_equal(answer->content_type, content_type_json);
    assert_string_equal(answer->header_name, "Retry-After");
    assert_string_equal(answer->header_value, "30");
    drop(answer);

    answer = spoil("{\"kind\":\"status\",\"body\":\"none\","
                   "\"retryAfter\":\"Wed, 21 Oct 2026 07:28:00 GMT\"}");
    assert_int_equal(answer->status, 503);
    assert_int_equal(answer->body.length, 0);
    assert_string_equal(answer->header_value, "Wed, 21 Oct 2026 07:28:00 GMT");
    drop(answer);
}

static void answers_with_an_error(void **state)
{
    (void)state;
#define AT_FIELD ",\"locations\":[{\"line\":2,\"column\":3}],\"path\":[\"sendSignal\"]"
#define NULL_DATA ",\"data\":{\"sendSignal\":null}}"
    static const struct {
        const char *fault, *outcome, *body;
    } cases[] = {
        {"{\"kind\":\"unauthenticated\"}", "UNAUTHENTICATED",
         "{\"errors\":[{\"message\":\"Partner token is not valid\"" AT_FIELD
         ",\"extensions\":{\"code\":\"UNAUTHENTICATED\"}}]}"},
        {"{\"kind\":\"rate-limited\"}", "RATE_LIMITED",
         "{\"errors\":[{\"message\":\"Rate limit exceeded\"" AT_FIELD
         ",\"extensions\":{\"code\":\"RATE_LIMITED\"}}]" NULL_DATA},
        {"{\"kind\":\"internal\",\"withData\":false}", "INTERNAL_SERVER_ERROR",
         "{\"errors\":[{\"message\":\"Internal server error\"" AT_FIELD
         ",\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}"},
        {"{\"kind\":\"bad-user-input\"}", "BAD_USER_INPUT",
         "{\"errors\":[{\"message\":\"/input/token: Is not valid\"" AT_FIELD
         ",\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]" NULL_DATA},
        {"{\"kind\":\"forbidden\",\"message\":\"no\"}", "FORBIDDEN",
         "{\"errors\":[{\"message\":\"no\"" AT_FIELD
         ",\"extensions\":{\"code\":\"FORBIDDEN\"}}]" NULL_DATA},
        {"{\"kind\":\"missing-code\"}", "missing-code",
         "{\"errors\":[{\"message\":\"an error without extensions\"" AT_FIELD "}]}"},
        {"{\"kind\":\"unknown-code\"}", "NEVER_HEARD_OF",
         "{\"errors\":[{\"message\":\"a code that no page mentions\"" AT_FIELD
         ",\"extensions\":{\"code\":\"NEVER_HEARD_OF\"}}]" NULL_DATA},
        {"{\"kind\":\"graphql-error\",\"code\":\"A\",\"message\":\"\\\"\",\"withData\":true,"
         "\"withExtensions\":false}",
         "A", "{\"errors\":[{\"message\":\"\\\"\"" AT_FIELD "}]" NULL_DATA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sandbox_answer *answer = spoil(cases[i].fault);
        assert_string_equal(answer->body.bytes, cases[i].body);
        assert_string_equal(answer->outcome, cases[i].outcome);
        assert_int_equal(answer->status, 200);
        assert_false(answer->is_delivered);
        drop(answer);
    }
}

static void spoils_the_transport(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        enum answer_ending ending;
        bool is_delivered;
        const char *outcome;
        size_t body_length;
    } cases[] = {
        {"{\"kind\":\"reset\"}", ANSWER_RESET, false, "reset", sizeof SUCCESS - 1},
        {"{\"kind\":\"reset-after\"}", ANSWER_RESET, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"close\"}", ANSWER_CLOSED, false, "close", sizeof SUCCESS - 1},
        {"{\"kind\":\"cut-body\"}", ANSWER_CUT, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"hang\"}", ANSWER_WITHHELD, false, "hang", sizeof SUCCESS - 1},
        {"{\"kind\":\"timeout-after\"}", ANSWER_WITHHELD, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"slow\"}", ANSWER_SENT, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"content-type\"}", ANSWER_SENT, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"truncated-json\"}", ANSWER_SENT, true, "delivered", (sizeof SUCCESS - 1) / 2},
        {"{\"kind\":\"empty\"}", ANSWER_SENT, false, "empty", 0},
        {"{\"kind\":\"large-head\"}", ANSWER_LARGE_HEAD, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"idle-close\"}", ANSWER_THEN_CLOSED, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"refused-stream\"}", ANSWER_REFUSED_STREAM, false, "refused-stream",
         sizeof SUCCESS - 1},
        {"{\"kind\":\"goaway\"}", ANSWER_GOAWAY, false, "goaway", sizeof SUCCESS - 1},
        {"{\"kind\":\"goaway-after\"}", ANSWER_GOAWAY_AFTER, true, "delivered", sizeof SUCCESS - 1},
        {"{\"kind\":\"reset\",\"taken\":true}", ANSWER_RESET, true, "delivered",
         sizeof SUCCESS - 1},
        {"{\"kind\":\"cut-body\",\"taken\":false}", ANSWER_CUT, false, "cut-body",
         sizeof SUCCESS - 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sandbox_answer *answer = spoil(cases[i].fault);
        assert_int_equal(answer->ending, cases[i].ending);
        assert_int_equal(answer->is_delivered, cases[i].is_delivered);
        assert_string_equal(answer->outcome, cases[i].outcome);
        assert_int_equal(answer->body.length, cases[i].body_length);
        drop(answer);
    }
}

static void spoils_the_body(void **state)
{
    (void)state;
    struct sandbox_answer *answer = spoil("{\"kind\":\"garbage\"}");
    assert_null(json_parse(answer->body.bytes, answer->body.length, NULL));
    assert_int_equal(answer->status, 200);
    drop(answer);
    answer = spoil("{\"kind\":\"content-type\"}");
    assert_string_equal(answer->content_type, "application/graphql-response+json; charset=utf-8");
    assert_string_equal(answer->body.bytes, SUCCESS);
    drop(answer);
}

/* A gateway's time-out after SEEK did its work: the duplicate that nobody can avoid. */
static void can_take_the_signal_and_answer_an_error(void **state)
{
    (void)state;
    struct sandbox_answer *answer = spoil("{\"kind\":\"status\",\"status\":504,\"taken\":true}");
    assert_int_equal(answer->status, 504);
    assert_true(answer->is_delivered);
    assert_string_equal(answer->outcome, "delivered");
    drop(answer);
}

static void never_makes_a_refused_signal_a_taken_one(void **state)
{
    (void)state;
    struct fault fault = must_read("{\"kind\":\"reset-after\"}");
    struct sandbox_answer answer;
    answer_init(&answer);
    answer_begin(&answer, 200, "BAD_USER_INPUT");
    fault_apply(&fault, &answer);
    assert_false(answer.is_delivered);
    assert_string_equal(answer.outcome, "BAD_USER_INPUT");
    answer_fini(&answer);
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "status",         "graphql-error", "unauthenticated", "rate-limited",   "internal",
        "unknown-code",   "missing-code",  "bad-user-input",  "forbidden",      "reset",
        "reset-after",    "cut-body",      "garbage",         "empty",          "slow",
        "hang",           "timeout-after", "content-type",    "truncated-json", "answer",
        "gzip",           "large",         "close",           "large-head",     "idle-close",
        "refused-stream", "goaway",        "goaway-after",
    };
    assert_int_equal(sizeof kinds / sizeof kinds[0], FAULT_KIND_COUNT);
    for (size_t i = 0; i < FAULT_KIND_COUNT; i++) {
        char text[64] = "{\"kind\":\"";
        (void)strcat(strcat(text, kinds[i]), "\"}");
        struct fault fault = must_read(text);
        assert_string_equal(fault_name(&fault), kinds[i]);
        struct buffer written, again;
        buffer_init(&written, 4096);
        buffer_init(&again, 4096);
        assert_true(buffer_append_text(&written, "{", NULL) &&
                    fault_write(&fault, &written, NULL) && buffer_append_text(&written, "}", NULL));
        struct fault copy = must_read(written.bytes);
        assert_true(buffer_append_text(&again, "{", NULL) && fault_write(&copy, &again, NULL) &&
                    buffer_append_text(&again, "}", NULL));
        assert_string_equal(written.bytes, again.bytes);
        buffer_fini(&written);
        buffer_fini(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("applies to the next call, unless it picks its calls",
           applies_to_the_next_call_unless_it_picks_its_calls),
        IT("refuses what it does not understand", refuses_what_it_does_not_understand),
        IT("answers with a status", answers_with_a_status),
        IT("answers with an error", answers_with_an_error),
        IT("spoils the transport", spoils_the_transport),
        IT("spoils the body", spoils_the_body),
        IT("can take the signal and answer an error", can_take_the_signal_and_answer_an_error),
        IT("never makes a refused signal a taken one", never_makes_a_refused_signal_a_taken_one),
        IT("reads what it writes", reads_what_it_writes),
    };
    return cmocka_run_group_tests_name("sandbox_fault", tests, NULL, NULL);
}
