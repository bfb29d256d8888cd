/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/json.h"

#include "service/domain/mutation.h"

#include "tests/support/specification.h"

enum { BODY_BYTES_MAX = 65536 };

#define BODY(token)                                                                                \
    "{\"query\":\"mutation ($input: SendSignalInput!) {\\n  sendSignal(input: $input)\\n}\","      \
    "\"variables\":{\"input\":{\"typeCode\":\"ApplicationComplete\",\"token\":\"" token            \
    "\",\"timestamp\":\"2020-01-02T00:00:00.000Z\"}}}"

static const int64_t timestamp_ms = INT64_C(1577923200000);

static void writes_what_seek_prints(void **state)
{
    (void)state;
    static const struct {
        const char *token, *body;
    } cases[] = {
        {"globalPublicTest-WfRFAhG25YC8ADe3QvxAVz",
         BODY("globalPublicTest-WfRFAhG25YC8ADe3QvxAVz")},
        {"eyJqb2JJZCI6MCwiY2FuZGlkYXRlSWQiOjAsInNlc3Npb25JZCI6IiJ9",
         BODY("eyJqb2JJZCI6MCwiY2FuZGlkYXRlSWQiOjAsInNlc3Npb25JZCI6IiJ9")},
        {"a+/=~.!%G", BODY("a+/=~.!%G")},
        {"\"", BODY("\\\"")},
        {"\\", BODY("\\\\")},
        {"\"}}}", BODY("\\\"}}}")},
        {"caf\xc3\xa9", BODY("caf\xc3\xa9")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer body;
        struct error error;
        buffer_init(&body, BODY_BYTES_MAX);
        assert_true(mutation_write(&body, cases[i].token, timestamp_ms, &error));
        assert_string_equal(body.bytes, cases[i].body);
        buffer_fini(&body);
    }
}

static void must_come_back(const char *token)
{
    struct buffer body;
    struct error error;
    struct json_text text;
    buffer_init(&body, BODY_BYTES_MAX);
    assert_true(mutation_write(&body, token, timestamp_ms, &error));
    struct json *json = json_parse(body.bytes, body.length, &error);
    assert_non_null(json);
    const struct json_value *variables = json_member(json_root(json), "variables");
    assert_true(json_member_text(json_member(variables, "input"), "token", &text));
    assert_string_equal(text.bytes, token);
    json_destroy(json);
    buffer_fini(&body);
}

static void keeps_every_byte(void **state)
{
    (void)state;
    for (unsigned byte = 0x21; byte < 0x7f; byte++) {
        const char token[] = {'a', (char)byte, 'b', '\0'};
        must_come_back(token);
    }
    must_come_back("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    must_come_back("<script>&\\u0041");
}

static void reports_a_full_buffer(void **state)
{
    (void)state;
    for (size_t length_max = 0; length_max < strlen(BODY("t")); length_max++) {
        struct buffer body;
        struct error error;
        buffer_init(&body, length_max);
        assert_false(mutation_write(&body, "t", timestamp_ms, &error));
        assert_int_equal(error.kind, ERROR_FULL);
        buffer_fini(&body);
    }
}

static void asks_for_the_version(void **state)
{
    (void)state;
    assert_string_equal(mutation_version_query, "{\"query\":\"{ version }\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("writes the operation as SEEK prints it, the variables as an object, UTC milliseconds",
           writes_what_seek_prints),
        IT("passes on every byte that a seek-token may have", keeps_every_byte),
        IT("reports a body that does not fit, at whatever byte", reports_a_full_buffer),
        IT("has SEEK's query that needs no credentials", asks_for_the_version),
    };
    return cmocka_run_group_tests_name("mutation", tests, NULL, NULL);
}
