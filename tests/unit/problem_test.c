/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

#include "service/inbound/problem.h"

#include "tests/support/specification.h"

static char *read_document(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    static char text[256 * 1024];
    size_t length = fread(text, 1, sizeof text - 1, file);
    assert_true(length > 0 && length < sizeof text - 1);
    text[length] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

static int code_of_name(const char *name, size_t length)
{
    for (int code = 0; code < PROBLEM_CODE_COUNT; code++) {
        const char *known = problem_kind((enum problem_code)code)->name;
        if (strlen(known) == length && strncmp(known, name, length) == 0)
            return code;
    }
    return -1;
}

/* Finds `prefix` + name + `suffix` at the beginning of lines, and requires each code exactly once.
 */
static void must_list_every_code(const char *text, const char *prefix, const char *suffix)
{
    unsigned seen[PROBLEM_CODE_COUNT] = {0};
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
        const char *name = *line == '\n' ? line + 1 : line;
        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        name += strlen(prefix);
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
        assert_int_equal(strncmp(name + length, suffix, strlen(suffix)), 0);
        int code = code_of_name(name, length);
        if (code < 0)
            fail_msg("%.*s is listed and no code", (int)length, name);
        seen[code]++;
    }
    for (int code = 0; code < PROBLEM_CODE_COUNT; code++)
        if (seen[code] != 1)
            fail_msg("%s is listed %u times", problem_kind((enum problem_code)code)->name,
                     seen[code]);
}

static void every_code_is_documented(void **state)
{
    (void)state;
    const char *text = read_document(PROJECT_DIRECTORY "/docs/errors.md");
    must_list_every_code(text, "| `", "` | ");
    for (int code = 0; code < PROBLEM_CODE_COUNT; code++) {
        const struct problem_kind *kind = problem_kind((enum problem_code)code);
        char row[128];
        (void)snprintf(row, sizeof row, "| `%s` | %u | ", kind->name, kind->status);
        if (strstr(text, row) == NULL)
            fail_msg("%s is documented with another status", kind->name);
    }
}

static void every_code_is_in_the_contract(void **state)
{
    (void)state;
    char *text = read_document(PROJECT_DIRECTORY "/openapi.yaml");
    char *codes = strstr(text, "description: Stable. Let your program decide by it.");
    assert_non_null(codes);
    char *end = strstr(codes, "retryable:");
    assert_non_null(end);
    *end = '\0';
    must_list_every_code(codes, "            - ", "\n");
}

static void codes_are_consistent(void **state)
{
    (void)state;
    for (int code = 0; code < PROBLEM_CODE_COUNT; code++) {
        const struct problem_kind *kind = problem_kind((enum problem_code)code);
        assert_non_null(kind->name);
        assert_non_null(kind->title);
        assert_true(isupper((unsigned char)kind->title[0]));
        assert_true(kind->status >= 400 && kind->status < 600);
        bool has_retry_after = kind->status == 429 || kind->status == 503;
        assert_int_equal(kind->retry_after_s > 0, has_retry_after);
        if (has_retry_after)
            assert_true(kind->is_retryable);
        assert_int_equal(code_of_name(kind->name, strlen(kind->name)), code);
    }
}

static void rejections_have_the_status_that_their_header_names(void **state)
{
    (void)state;
    static const unsigned statuses[REJECTION_CODE_COUNT] = {
        [REJECTED_NOT_JSON] = 400,        [REJECTED_NOT_AN_OBJECT] = 400,
        [REJECTED_REPEATED_MEMBER] = 400, [REJECTED_EMPTY_BATCH] = 400,
        [REJECTED_BATCH_TOO_LONG] = 413,  [REJECTED_TYPE] = 422,
        [REJECTED_APPLICATION_ID] = 422,  [REJECTED_TOKEN] = 422,
        [REJECTED_TOKEN_ENCODED] = 422,   [REJECTED_TOKEN_AND_URI] = 422,
        [REJECTED_APPLICATION_URI] = 422, [REJECTED_COMPLETED_AT] = 422,
        [REJECTED_CLOUD_EVENT] = 400,     [REJECTED_NO_TOKEN] = 409,
        [REJECTED_OUT_OF_MEMORY] = 503,
    };
    for (int code = 0; code < REJECTION_CODE_COUNT; code++) {
        struct rejection rejection = {.code = (enum rejection_code)code};
        struct problem problem = problem_from_rejection(&rejection);
        assert_int_equal(problem_kind(problem.code)->status, statuses[code]);
        for (int other = 0; other < code; other++) {
            struct rejection second = {.code = (enum rejection_code)other};
            assert_int_not_equal(problem.code, problem_from_rejection(&second).code);
        }
    }
}

static void must_have_text(const struct json_value *object, const char *name, const char *expected)
{
    struct json_text text;
    assert_true(json_member_text(object, name, &text));
    assert_string_equal(text.bytes, expected);
}

static void documents_have_all_members(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    const struct problem problem = {.code = PROBLEM_TOKEN_ENCODED,
                                    .detail = "It says \"%3D\".\n",
                                    .field = "token",
                                    .remedy = "Decode it."};
    assert_true(problem_write(&out, &problem, NULL));
    AUTO(json) *json = json_parse(out.bytes, out.length, NULL);
    assert_non_null(json);
    const struct json_value *root = json_root(json);
    must_have_text(root, "type", "urn:seek-signal:problem:token_encoded");
    must_have_text(root, "title", "The seek-token is still URL-encoded");
    must_have_text(root, "code", "token_encoded");
    must_have_text(root, "detail", "It says \"%3D\".\n");
    must_have_text(root, "field", "token");
    must_have_text(root, "remedy", "Decode it.");
    int64_t status;
    assert_true(json_member_integer(root, "status", &status));
    assert_int_equal(status, 422);
    assert_int_equal(json_type(json_member(root, "retryable")), JSON_BOOLEAN);
    buffer_fini(&out);
}

static void what_is_not_there_is_left_out(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    const struct problem problem = {.code = PROBLEM_NOT_FOUND, .field = ""};
    assert_true(problem_write(&out, &problem, NULL));
    assert_string_equal(out.bytes,
                        "{\"type\":\"urn:seek-signal:problem:not_found\","
                        "\"title\":\"There is nothing at this path\",\"status\":404,"
                        "\"code\":\"not_found\",\"retryable\":false,"
                        "\"detail\":\"No call has this path.\","
                        "\"remedy\":\"Check the path for an extra slash, and check the port: "
                        "the port of OPS_LISTEN has only probes and metrics. GET "
                        "/openapi.yaml at the port of LISTEN lists all calls.\"}");
    buffer_fini(&out);
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    const struct problem problem = {.code = PROBLEM_TOKEN_MISSING, .detail = "d", .remedy = "r"};
    struct buffer whole;
    buffer_init(&whole, 4096);
    assert_true(problem_write(&whole, &problem, NULL));
    for (size_t max = 0; max < whole.length; max++) {
        struct buffer out;
        buffer_init(&out, max);
        assert_false(problem_write(&out, &problem, NULL));
        buffer_fini(&out);
    }
    buffer_fini(&whole);
}

static void each_has_detail_and_remedy(void **state)
{
    (void)state;
    for (int code = 0; code < PROBLEM_CODE_COUNT; code++) {
        struct buffer document;
        struct error error;
        buffer_init(&document, 4096);
        assert_true(
            problem_write(&document, &(struct problem){.code = (enum problem_code)code}, &error));
        AUTO(json) *json = json_parse(document.bytes, document.length, &error);
        assert_non_null(json);
        struct json_text text;
        assert_true(json_member_text(json_root(json), "detail", &text) && text.length > 0);
        assert_true(json_member_text(json_root(json), "remedy", &text) && text.length > 0);
        buffer_fini(&document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("says for each code what is wrong and what helps", each_has_detail_and_remedy),
        IT("documents every code, with its status, in docs/errors.md and nothing else",
           every_code_is_documented),
        IT("lists every code in openapi.yaml and nothing else", every_code_is_in_the_contract),
        IT("gives each code a name of its own, a title, and Retry-After exactly to 429 and 503",
           codes_are_consistent),
        IT("gives each rejection a code of its own with the status of its class",
           rejections_have_the_status_that_their_header_names),
        IT("writes RFC 9457 documents with code, retryable, field and remedy",
           documents_have_all_members),
        IT("leaves out an empty field, and has general words where there are no own ones",
           what_is_not_there_is_left_out),
        IT("reports a document that does not fit", a_full_buffer_is_told),
    };
    return cmocka_run_group_tests_name("problem", tests, NULL, NULL);
}
