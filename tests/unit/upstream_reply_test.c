/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/utf8.h"

#include "service/domain/upstream_reply.h"

#include "tests/support/failing_malloc.h"
#include "tests/support/specification.h"

#define ERROR(code, message)                                                                       \
    "{\"message\":\"" message "\",\"path\":[\"sendSignal\"],\"extensions\":{\"code\":\"" code "\"" \
    "}}"
#define ERRORS(list) "{\"errors\":[" list "],\"data\":{\"sendSignal\":null}}"
#define ONE(code) ERRORS(ERROR(code, "m"))

struct expectation {
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

static void must_classify(const struct expectation *cases, size_t count)
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
        char told[sizeof verdict.message];
        (void)snprintf(told, sizeof told, "%.100s: Connection reset by peer", verdict.message);
        assert_int_equal(verdict.http_status, cases[i].status);
        assert_int_equal(verdict.retry_after_ms, -1);
    }
}
#define MUST_CLASSIFY(cases) must_classify(cases, sizeof(cases) / sizeof(cases)[0])

static void reads_success_from_the_body(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {200, "{\"data\":{\"sendSignal\":true},\"extensions\":{\"requestLatency\":1}}",
         VERDICT_DELIVERED, "", ""},
        {200, "{\"data\":{\"sendSignal\":null}}", VERDICT_DELIVERED, "", ""},
        {200, "{\"data\":{\"sendSignal\":false}}", VERDICT_DELIVERED, "", ""},
        {200, "{\"data\":{\"sendSignal\":{}}}", VERDICT_DELIVERED, "", ""},
        {200, "{\"errors\":[],\"data\":{\"sendSignal\":true}}", VERDICT_DELIVERED, "", ""},
        {200, "{\"errors\":null,\"data\":{\"sendSignal\":true}}", VERDICT_DELIVERED, "", ""},
        {202, " {\"data\" : {\"sendSignal\":true}}\n", VERDICT_DELIVERED, "", ""},

        /* Never from 200 alone. */
        {200, "", VERDICT_UNREADABLE, "NOT_JSON", NULL},
        {204, "", VERDICT_UNREADABLE, "NOT_JSON", NULL},
        {200, "<html>Welcome</html>", VERDICT_UNREADABLE, "NOT_JSON", NULL},
        {200, "{\"data\":{\"sendSignal\":tr", VERDICT_UNREADABLE, "NOT_JSON", NULL},
        {200, "{\"data\":{\"sendSignal\":true}}}", VERDICT_UNREADABLE, "NOT_JSON", NULL},
        {200, "[]", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "true", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "null", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"data\":[\"sendSignal\"]}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"data\":null}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"data\":true}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"data\":{}}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"data\":{\"version\":\"1\"}}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"sendSignal\":true}", VERDICT_TRANSIENT, "NO_RESULT", NULL},
        {200, "{\"errors\":\"no\",\"data\":{\"sendSignal\":true}}", VERDICT_TRANSIENT, "NO_CODE",
         "no"},
        {200, "{\"errors\":7,\"data\":{\"sendSignal\":true}}", VERDICT_TRANSIENT, "NO_RESULT",
         NULL},
        {200, "{\"errors\":{},\"data\":{\"sendSignal\":true}}", VERDICT_TRANSIENT, "NO_CODE", NULL},
        {500, "{\"data\":{\"sendSignal\":true}}", VERDICT_TRANSIENT, "HTTP_500", NULL},
    };
    MUST_CLASSIFY(cases);
}

static void knows_seeks_codes(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {200,
         "{\"errors\":[{\"message\":\"Public test partner token is expired\",\"locations\":[{"
         "\"line\":2,\"column\":3}],\"path\":[\"candidateProfile\"],\"extensions\":{\"code\":"
         "\"UNAUTHENTICATED\"}}]}",
         VERDICT_AUTH, "UNAUTHENTICATED", "Public test partner token is expired"},
        {200, ONE("UNAUTHENTICATED"), VERDICT_AUTH, "UNAUTHENTICATED", "m"},
        {200, ONE("RATE_LIMITED"), VERDICT_THROTTLED, "RATE_LIMITED", "m"},
        {200, ONE("BAD_USER_INPUT"), VERDICT_REFUSED, "BAD_USER_INPUT", "m"},
        {200, ONE("FORBIDDEN"), VERDICT_REFUSED, "FORBIDDEN", "m"},
        {200, ONE("INTERNAL_SERVER_ERROR"), VERDICT_TRANSIENT, "INTERNAL_SERVER_ERROR", "m"},
        {200, "{\"errors\":[" ERROR("FORBIDDEN", "m") "],\"data\":{\"sendSignal\":true}}",
         VERDICT_REFUSED, "FORBIDDEN", "m"},
        /* The message says it too. */
        {200, "{\"errors\":[{\"message\":\"/input/token: Is not valid\"}]}", VERDICT_REFUSED,
         "NO_CODE", "/input/token: Is not valid"},
        {200, ERRORS(ERROR("NEW_CODE", "/input/token: Is not valid")), VERDICT_REFUSED, "NEW_CODE",
         "/input/token: Is not valid"},
        {200, ERRORS(ERROR("INTERNAL_SERVER_ERROR", "/input/token: boom")), VERDICT_TRANSIENT,
         "INTERNAL_SERVER_ERROR", "/input/token: boom"},
        {200, ERRORS(ERROR("NEW_CODE", "see /input/token")), VERDICT_TRANSIENT, "NEW_CODE",
         "see /input/token"},
        /* What nobody knows is tried again. */
        {200, ONE("SOMETHING_NEW"), VERDICT_TRANSIENT, "SOMETHING_NEW", "m"},
        {200, ONE("forbidden"), VERDICT_TRANSIENT, "forbidden", "m"},
        {200, "{\"errors\":[{\"message\":\"m\"}]}", VERDICT_TRANSIENT, "NO_CODE", "m"},
        {200, "{\"errors\":[{\"message\":\"m\",\"extensions\":null}]}", VERDICT_TRANSIENT,
         "NO_CODE", "m"},
        {200, "{\"errors\":[{\"message\":\"m\",\"extensions\":{\"code\":403}}]}", VERDICT_TRANSIENT,
         "NO_CODE", "m"},
        {200, "{\"errors\":[{\"extensions\":{\"code\":\"FORBIDDEN\"}}]}", VERDICT_REFUSED,
         "FORBIDDEN", NULL},
        {200, "{\"errors\":[{}]}", VERDICT_TRANSIENT, "NO_CODE", NULL},
        {200, "{\"errors\":[\"FORBIDDEN\",null,7]}", VERDICT_TRANSIENT, "NO_CODE", NULL},
    };
    MUST_CLASSIFY(cases);
}

static void weighs_several_errors(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {200, ERRORS(ERROR("BAD_USER_INPUT", "a") "," ERROR("FORBIDDEN", "b")), VERDICT_REFUSED,
         "BAD_USER_INPUT", "a; b"},
        {200, ERRORS(ERROR("BAD_USER_INPUT", "a") "," ERROR("INTERNAL_SERVER_ERROR", "b")),
         VERDICT_TRANSIENT, "INTERNAL_SERVER_ERROR", "a; b"},
        {200, ERRORS(ERROR("FORBIDDEN", "a") "," ERROR("SOMETHING_NEW", "b")), VERDICT_TRANSIENT,
         "SOMETHING_NEW", "a; b"},
        {200, ERRORS(ERROR("FORBIDDEN", "a") ",{}"), VERDICT_TRANSIENT, "NO_CODE", "a"},
        {200, ERRORS(ERROR("UNAUTHENTICATED", "a") "," ERROR("INTERNAL_SERVER_ERROR", "b")),
         VERDICT_AUTH, "UNAUTHENTICATED", "a; b"},
        {200, ERRORS(ERROR("FORBIDDEN", "a") "," ERROR("UNAUTHENTICATED", "b")), VERDICT_AUTH,
         "UNAUTHENTICATED", "a; b"},
        {200,
         ERRORS(ERROR("FORBIDDEN", "a") "," ERROR("UNAUTHENTICATED", "b") "," ERROR(
             "RATE_LIMITED", "c") "," ERROR("INTERNAL_SERVER_ERROR", "d")),
         VERDICT_THROTTLED, "RATE_LIMITED", "a; b; c; d"},
    };
    MUST_CLASSIFY(cases);
}

static void reads_the_status_when_the_body_says_nothing(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {401, "", VERDICT_AUTH, "HTTP_401", NULL},
        {403, "<html>", VERDICT_MISCONFIGURED, "HTTP_403", NULL},
        {403, "", VERDICT_MISCONFIGURED, "HTTP_403", NULL},
        {403, "{\"error\":\"Forbidden\"}", VERDICT_MISCONFIGURED, "HTTP_403", NULL},
        {403, "{\"errors\":[]}", VERDICT_MISCONFIGURED, "HTTP_403", NULL},
        {408, "", VERDICT_TRANSIENT, "HTTP_408", NULL},
        {429, "", VERDICT_THROTTLED, "HTTP_429", NULL},
        {429, "{\"message\":\"Too Many Requests\"}", VERDICT_THROTTLED, "HTTP_429", NULL},
        {500, "", VERDICT_TRANSIENT, "HTTP_500", NULL},
        {502, "<html>Bad gateway</html>", VERDICT_TRANSIENT, "HTTP_502", NULL},
        {503, "{}", VERDICT_TRANSIENT, "HTTP_503", NULL},
        {504, "[]", VERDICT_TRANSIENT, "HTTP_504", NULL},
        {599, "", VERDICT_TRANSIENT, "HTTP_599", NULL},
        /* A wrong URL must not kill a queue. */
        {400, "", VERDICT_MISCONFIGURED, "HTTP_400", NULL},
        {402, "", VERDICT_MISCONFIGURED, "HTTP_402", NULL},
        {404, "<html>", VERDICT_MISCONFIGURED, "HTTP_404", NULL},
        {405, "", VERDICT_MISCONFIGURED, "HTTP_405", NULL},
        {407, "", VERDICT_MISCONFIGURED, "HTTP_407", NULL},
        {413, "", VERDICT_MISCONFIGURED, "HTTP_413", NULL},
        {415, "", VERDICT_MISCONFIGURED, "HTTP_415", NULL},
        {499, "", VERDICT_MISCONFIGURED, "HTTP_499", NULL},
        {301, "", VERDICT_MISCONFIGURED, "HTTP_301", NULL},
        {308, "", VERDICT_MISCONFIGURED, "HTTP_308", NULL},
        /* No status that HTTP knows. */
        {0, "", VERDICT_TRANSIENT, "HTTP_0", NULL},
        {100, "", VERDICT_TRANSIENT, "HTTP_100", NULL},
        {600, "", VERDICT_TRANSIENT, "HTTP_600", NULL},
        {4294967295u, "", VERDICT_TRANSIENT, "HTTP_4294967295", NULL},
    };
    MUST_CLASSIFY(cases);
}

static void prefers_seeks_code_to_the_status(void **state)
{
    (void)state;
    static const struct expectation cases[] = {
        {400, ONE("BAD_USER_INPUT"), VERDICT_REFUSED, "BAD_USER_INPUT", "m"},
        {400, ONE("UNAUTHENTICATED"), VERDICT_AUTH, "UNAUTHENTICATED", "m"},
        {400, ONE("INTERNAL_SERVER_ERROR"), VERDICT_TRANSIENT, "INTERNAL_SERVER_ERROR", "m"},
        {401, ONE("UNAUTHENTICATED"), VERDICT_AUTH, "UNAUTHENTICATED", "m"},
        {403, ONE("UNAUTHENTICATED"), VERDICT_AUTH, "UNAUTHENTICATED", "m"},
        {403, ONE("INTERNAL_SERVER_ERROR"), VERDICT_TRANSIENT, "INTERNAL_SERVER_ERROR", "m"},
        {500, ONE("BAD_USER_INPUT"), VERDICT_REFUSED, "BAD_USER_INPUT", "m"},
        {500, ONE("INTERNAL_SERVER_ERROR"), VERDICT_TRANSIENT, "INTERNAL_SERVER_ERROR", "m"},
        {503, ONE("RATE_LIMITED"), VERDICT_THROTTLED, "RATE_LIMITED", "m"},
        {400, "{\"errors\":[{\"message\":\"/input/token: Is not valid\"}]}", VERDICT_REFUSED,
         "NO_CODE", "/input/token: Is not valid"},
        {400, ERRORS(ERROR("BAD_USER_INPUT", "a") "," ERROR("SOMETHING_NEW", "b")),
         VERDICT_TRANSIENT, "SOMETHING_NEW", "a; b"},

        /* Of codes nobody knows, the status has the say and SEEK's words are kept. */
        {400, ONE("SOMETHING_NEW"), VERDICT_MISCONFIGURED, "SOMETHING_NEW", "m"},
        {401, ONE("SOMETHING_NEW"), VERDICT_AUTH, "SOMETHING_NEW", "m"},
        {403, ONE("FORBIDDEN"), VERDICT_REFUSED, "FORBIDDEN", "m"},
        {403, ONE("BAD_USER_INPUT"), VERDICT_REFUSED, "BAD_USER_INPUT", "m"},
        {403, ONE("SOMETHING_NEW"), VERDICT_MISCONFIGURED, "SOMETHING_NEW", "m"},
        {500, ONE("SOMETHING_NEW"), VERDICT_TRANSIENT, "SOMETHING_NEW", "m"},
        {400, "{\"errors\":[{\"message\":\"m\"}]}", VERDICT_MISCONFIGURED, "NO_CODE", "m"},

        /* A 429 throttles whatever the body says. */
        {429, ONE("RATE_LIMITED"), VERDICT_THROTTLED, "RATE_LIMITED", "m"},
        {429, ONE("INTERNAL_SERVER_ERROR"), VERDICT_THROTTLED, "INTERNAL_SERVER_ERROR", "m"},
        {429, ONE("BAD_USER_INPUT"), VERDICT_THROTTLED, "BAD_USER_INPUT", "m"},
        {429, ONE("SOMETHING_NEW"), VERDICT_THROTTLED, "SOMETHING_NEW", "m"},
    };
    MUST_CLASSIFY(cases);
}

static void knows_how_far_an_exchange_came(void **state)
{
    (void)state;
    static const struct {
        enum upstream_transport transport;
        unsigned status;
        const char *code;
        enum verdict_class class;
    } cases[] = {
        {UPSTREAM_NO_CONNECTION, 0, "NO_CONNECTION", VERDICT_TRANSIENT},
        {UPSTREAM_TLS_FAILED, 0, "TLS", VERDICT_TRANSIENT},
        {UPSTREAM_NOT_RESOLVED, 0, "DNS", VERDICT_TRANSIENT},
        {UPSTREAM_TIMED_OUT, 0, "TIMEOUT", VERDICT_TRANSIENT},
        {UPSTREAM_TIMED_OUT, 200, "TIMEOUT", VERDICT_TRANSIENT},
        {UPSTREAM_BROKEN, 0, "BROKEN", VERDICT_TRANSIENT},
        {UPSTREAM_BROKEN, 403, "BROKEN", VERDICT_TRANSIENT},
        {UPSTREAM_NOT_SENT, 0, "NOT_SENT", VERDICT_TRANSIENT},
        {UPSTREAM_PROXY_REFUSED, 0, "PROXY_REFUSED", VERDICT_MISCONFIGURED},
        /* The status came, the body cannot be had. */
        {UPSTREAM_TOO_LARGE, 200, "TOO_LARGE", VERDICT_UNREADABLE},
        {UPSTREAM_TOO_LARGE, 404, "TOO_LARGE", VERDICT_MISCONFIGURED},
        {UPSTREAM_TOO_LARGE, 429, "TOO_LARGE", VERDICT_THROTTLED},
        {UPSTREAM_TOO_LARGE, 502, "TOO_LARGE", VERDICT_TRANSIENT},
        {UPSTREAM_BAD_CODING, 200, "BAD_CODING", VERDICT_UNREADABLE},
        {UPSTREAM_BAD_CODING, 503, "BAD_CODING", VERDICT_TRANSIENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict;
        struct upstream_reply reply = {.transport = cases[i].transport, .status = cases[i].status};
        upstream_reply_classify(&reply, 0, &verdict);
        assert_int_equal(verdict.class, cases[i].class);
        assert_string_equal(verdict.code, cases[i].code);
        assert_true(verdict.message[0] != '\0');
        assert_int_equal(verdict.http_status, cases[i].status);
        assert_int_equal(verdict.retry_after_ms, -1);
        assert_true(verdict.is_code_known);

        /* Ours, which troubleshooting.md explains, in front of the client's own. */
        char told[160];
        (void)snprintf(told, sizeof told, "%.100s: Connection reset by peer", verdict.message);
        reply.transport_detail = "Connection reset by peer";
        upstream_reply_classify(&reply, 0, &verdict);
        assert_string_equal(verdict.message, told);
    }
}

/* What arrived before the break may be complete by accident, and is not believed. */
static void believes_no_cut_body(void **state)
{
    (void)state;
    static const char body[] = "{\"data\":{\"sendSignal\":true}}";
    const struct upstream_reply reply = {.transport = UPSTREAM_BROKEN,
                                         .status = 200,
                                         .body = body,
                                         .body_length = sizeof body - 1,
                                         .retry_after = "7"};
    struct verdict verdict;
    upstream_reply_classify(&reply, 0, &verdict);
    assert_int_equal(verdict.class, VERDICT_TRANSIENT);
    assert_string_equal(verdict.code, "BROKEN");
    assert_int_equal(verdict.http_status, 200);
    assert_int_equal(verdict.retry_after_ms, 7000);
}

static void takes_no_truncated_success(void **state)
{
    (void)state;
    static const char body[] = "{\"data\":{\"sendSignal\":true},\"extensions\":{\"n\":1}}";
    for (size_t length = 0; length < sizeof body - 1; length++) {
        char *cut = strndup(body, length);
        assert_non_null(cut);
        struct verdict verdict = classify(200, cut);
        assert_int_equal(verdict.class, VERDICT_UNREADABLE);
        free(cut);
    }
}

static void carries_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        {"30", 30000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 60000},
        {"999999", INT64_C(86400000)},
        {"soon", -1},
        {"", -1},
        {NULL, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct upstream_reply reply = {
            .status = 503, .body = "", .retry_after = cases[i].value};
        struct verdict verdict;
        upstream_reply_classify(&reply, INT64_C(784111777000) - 60000, &verdict);
        assert_true(verdict.retry_after_ms == cases[i].ms);
    }
}

/* A body of `count` errors whose messages are `message`, in a buffer of their own. */
static struct verdict classify_long(const char *code, const char *message, size_t count)
{
    struct buffer body;
    buffer_init(&body, 1 << 20);
    assert_true(buffer_append_text(&body, "{\"errors\":[", NULL));
    for (size_t i = 0; i < count; i++)
        assert_true(buffer_append_format(&body, NULL,
                                         "%s{\"message\":\"%s\",\"extensions\":{\"code\":\"%s\"}}",
                                         i > 0 ? "," : "", message, code));
    assert_true(buffer_append_text(&body, "]}", NULL));
    struct verdict verdict = classify(200, body.bytes);
    buffer_fini(&body);
    return verdict;
}

/* What is kept in front of the mark that says how long the whole is. */
static size_t kept_of_cut(const char *message, size_t whole)
{
    char mark[64];
    (void)snprintf(mark, sizeof mark, " [cut: %zu bytes in all]", whole);
    size_t length = strlen(message);
    assert_true(length > strlen(mark));
    assert_string_equal(message + length - strlen(mark), mark);
    return length - strlen(mark);
}

static void cuts_long_texts_between_characters(void **state)
{
    (void)state;
    char message[VERDICT_MESSAGE_BYTES + 16];
    for (size_t prefix = 0; prefix < 4; prefix++) {
        /* U+1F600 takes four bytes, so one of the four prefixes has it end exactly at the limit. */
        memset(message, 'a', prefix);
        size_t length = prefix;
        for (; length + 4 < sizeof message; length += 4)
            memcpy(message + length, "\xf0\x9f\x98\x80", 4);
        message[length] = '\0';

        struct verdict verdict = classify_long("FORBIDDEN", message, 1);
        assert_in_range(strlen(verdict.message), VERDICT_MESSAGE_BYTES - 4,
                        VERDICT_MESSAGE_BYTES - 1);
        size_t kept = kept_of_cut(verdict.message, length);
        assert_int_equal((kept - prefix) % 4, 0);
        assert_true(utf8_is_valid(verdict.message, kept));
        assert_memory_equal(verdict.message, message, kept);
    }
    struct verdict verdict = classify_long("FORBIDDEN", "m", 2000);
    assert_int_equal(strlen(verdict.message), VERDICT_MESSAGE_BYTES - 1);
    (void)kept_of_cut(verdict.message, 2000 + 1999 * strlen("; "));
    assert_memory_equal(verdict.message, "m; m; m", 7);
    assert_int_equal(verdict.class, VERDICT_REFUSED);
}

static void keeps_what_fits_exactly(void **state)
{
    (void)state;
    char message[VERDICT_MESSAGE_BYTES];
    memset(message, 'a', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    struct verdict verdict = classify_long("FORBIDDEN", message, 1);
    assert_string_equal(verdict.message, message);
}

static void takes_no_part_of_a_code(void **state)
{
    (void)state;
    char code[VERDICT_CODE_BYTES + 1];
    memset(code, 'A', sizeof code - 1);
    code[sizeof code - 1] = '\0';
    struct verdict verdict = classify_long(code, "m", 1);
    assert_int_equal(verdict.class, VERDICT_TRANSIENT);
    assert_string_equal(verdict.code, "NO_CODE");
    assert_string_equal(classify_long(code + 1, "m", 1).code, code + 1);
}

static void names_every_class(void **state)
{
    (void)state;
    static const char *const names[VERDICT_CLASS_COUNT] = {
        [VERDICT_DELIVERED] = "delivered",   [VERDICT_TRANSIENT] = "transient",
        [VERDICT_THROTTLED] = "throttled",   [VERDICT_AUTH] = "auth",
        [VERDICT_REFUSED] = "refused",       [VERDICT_MISCONFIGURED] = "misconfigured",
        [VERDICT_UNREADABLE] = "unreadable",
    };
    for (unsigned i = 0; i < VERDICT_CLASS_COUNT; i++)
        assert_string_equal(verdict_class_name((enum verdict_class)i), names[i]);
}

/* What cannot be read for want of memory is tried again: nothing dies of it. */
static void judges_nothing_that_it_has_no_memory_to_read(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum verdict_class class;
    } cases[] = {{"{\"data\":{\"sendSignal\":true}}", VERDICT_DELIVERED},
                 {ONE("FORBIDDEN"), VERDICT_REFUSED},
                 {ONE("UNAUTHENTICATED"), VERDICT_AUTH}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool has_failed = true;
        for (unsigned n = 0; has_failed; n++) {
            failing_malloc_arm(n);
            struct verdict verdict = classify(200, cases[i].body);
            has_failed = failing_malloc_disarm();
            assert_int_equal(verdict.class, has_failed ? VERDICT_TRANSIENT : cases[i].class);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("is delivered when the body has data.sendSignal and no errors, never by HTTP 200 alone",
           reads_success_from_the_body),
        IT("knows SEEK's codes, and tries again what it does not know", knows_seeks_codes),
        IT("refuses only when every error is a refusal, else takes the class that waits",
           weighs_several_errors),
        IT("goes by the status when the body has no GraphQL errors",
           reads_the_status_when_the_body_says_nothing),
        IT("prefers a documented code to the status", prefers_seeks_code_to_the_status),
        IT("knows how far an exchange came, with the client's words",
           knows_how_far_an_exchange_came),
        IT("believes no body that was cut, even when it looks complete", believes_no_cut_body),
        IT("takes no truncated success for one", takes_no_truncated_success),
        IT("carries Retry-After, at most a day", carries_retry_after),
        IT("cuts long messages between two characters", cuts_long_texts_between_characters),
        IT("keeps a message that just fits", keeps_what_fits_exactly),
        IT("takes no part of a code that is too long", takes_no_part_of_a_code),
        IT("judges nothing that it has no memory to read",
           judges_nothing_that_it_has_no_memory_to_read),
        IT("has a name for every class", names_every_class),
    };
    return cmocka_run_group_tests_name("upstream_reply", tests, NULL, NULL);
}
