/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "service/sandbox/graphql_document.h"

#include "tests/support/specification.h"

static struct graphql_document must_parse(const char *text)
{
    struct graphql_document document;
    const char *reason = NULL;
    if (!graphql_document_parse(text, strlen(text), &document, &reason))
        fail_msg("%s: %s", text, reason);
    assert_null(reason);
    return document;
}

static void must_refuse(const char *text, const char *part)
{
    struct graphql_document document;
    const char *reason = NULL;
    if (graphql_document_parse(text, strlen(text), &document, &reason))
        fail_msg("accepted: %s", text);
    assert_non_null(reason);
    if (strstr(reason, part) == NULL)
        fail_msg("expected \"%s\" in \"%s\" for %s", part, reason, text);
}

static void must_be_send_signal(const char *text, const char *response_key)
{
    struct graphql_document document = must_parse(text);
    assert_true(document.is_mutation);
    assert_true(graphql_name_is(document.response_key, response_key));
    assert_true(graphql_name_is(document.field, "sendSignal"));
    assert_true(graphql_name_is(document.argument, "input"));
    assert_true(graphql_name_is(document.argument_variable, "input"));
    assert_true(graphql_name_is(document.variable, "input"));
    assert_true(graphql_name_is(document.variable_type, "SendSignalInput"));
    assert_true(document.is_variable_required);
}

static void reads_the_mutation_as_seek_prints_it(void **state)
{
    (void)state;
    must_be_send_signal("mutation ($input: SendSignalInput!) {\n  sendSignal(input: $input)\n}",
                        "sendSignal");
}

static void reads_it_however_it_is_written(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "mutation($input:SendSignalInput!){sendSignal(input:$input)}",
        "mutation Named($input: SendSignalInput!) { sendSignal(input: $input) }",
        "\t# {\n mutation , (\r\n$input:\tSendSignalInput!) {,sendSignal # }\n(input:$input)}#",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        must_be_send_signal(texts[i], "sendSignal");
    must_be_send_signal("mutation ($input: SendSignalInput!) { sent: sendSignal(input: $input) }",
                        "sent");
}

static void reads_a_query_without_variables(void **state)
{
    (void)state;
    static const char *const texts[] = {"{ version }", "query { version }", "query A {version}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct graphql_document document = must_parse(texts[i]);
        assert_false(document.is_mutation);
        assert_true(graphql_name_is(document.field, "version"));
        assert_int_equal(document.argument.length, 0);
        assert_int_equal(document.variable.length, 0);
    }
}

static void tells_an_optional_variable_from_a_required_one(void **state)
{
    (void)state;
    assert_false(must_parse("mutation ($i: T) { f(a: $i) }").is_variable_required);
    assert_true(must_parse("mutation ($i: T!) { f(a: $i) }").is_variable_required);
}

static void refuses_an_input_written_into_the_query(void **state)
{
    (void)state;
    must_refuse("mutation { sendSignal(input: {typeCode: \"ApplicationComplete\"}) }",
                "passed as one variable");
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    must_refuse("", "expected an operation");
    must_refuse("{", "name of a field");
    must_refuse("{}", "name of a field");
    must_refuse("subscription { version }", "query, mutation");
    must_refuse("{ version", "expected }");
    must_refuse("{ version other }", "one field");
    must_refuse("{ version { inner } }", "no subfields");
    must_refuse("{ version } { version }", "one operation");
    must_refuse("mutation ($a: A!, $b: B!) { f(a: $a) }", "one variable");
    must_refuse("mutation ($a: [A!]!) { f(a: $a) }", "one variable");
    must_refuse("mutation (", "one variable");
    must_refuse("query { version } \x01", "one operation");
}

static void refuses_every_cut_of_the_mutation(void **state)
{
    (void)state;
    static const char text[] = "mutation ($input: SendSignalInput!) { sendSignal(input: $input) }";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct graphql_document document;
        const char *reason = NULL;
        char *exact = malloc(length + 1); /* AddressSanitizer notices a byte too far */
        assert_non_null(exact);
        char *start = exact + 1;
        memcpy(start, text, length);
        assert_false(graphql_document_parse(start, length, &document, &reason));
        assert_non_null(reason);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads the mutation as SEEK prints it", reads_the_mutation_as_seek_prints_it),
        IT("reads it however it is written", reads_it_however_it_is_written),
        IT("reads a query without variables", reads_a_query_without_variables),
        IT("tells an optional variable from a required one",
           tells_an_optional_variable_from_a_required_one),
        IT("refuses an input written into the query", refuses_an_input_written_into_the_query),
        IT("refuses what it does not know", refuses_what_it_does_not_know),
        IT("refuses every cut of the mutation", refuses_every_cut_of_the_mutation),
    };
    return cmocka_run_group_tests_name("sandbox_graphql_document", tests, NULL, NULL);
}
