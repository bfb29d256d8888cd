/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "service/domain/event.h"

#include "tests/support/specification.h"

enum { BATCH_MAX = 1000 };

#define ID "\"applicationId\":\"A-1001\""

static void reads_every_member(void **state)
{
    (void)state;
    static const int64_t completed_at_ms = INT64_C(1767323045678);
    static const struct {
        const char *body, *application_id, *seek_token;
        int64_t completed_at_ms;
    } cases[] = {
        {"{\"type\":\"application.completed\"," ID
         ",\"token\":\"eyJ\",\"completedAt\":\"2026-01-02T03:04:05.678Z\"}",
         "A-1001", "eyJ", completed_at_ms},
        {" {\"completedAt\" : \"2026-01-02T14:04:05.678+11:00\", \"token\" : \"eyJ\", " ID "}\r\n",
         "A-1001", "eyJ", completed_at_ms},
        {"{" ID ",\"token\":\"eyJ\"}", "A-1001", "eyJ", EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID "}", "A-1001", NULL, EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"applicationUri\":\"https://example.com/?a=1&seek-token=a%3D\"}", "A-1001",
         "a=", EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"applicationUri\":\"https:\\/\\/example.com\\/?seek-token=a\"}", "A-1001", "a",
         EVENT_COMPLETED_AT_UNKNOWN},
        /* JSON escapes are not a seek-token's. */
        {"{\"application\\u0049d\":\"\\u0041\",\"token\":\"a\\/\\\"\\\\\"}", "A", "a/\"\\",
         EVENT_COMPLETED_AT_UNKNOWN},
        {"{\"applicationId\":\"caf\xc3\xa9 \xf0\x9f\x98\x80 100%\"}",
         "caf\xc3\xa9 \xf0\x9f\x98\x80 100%", NULL, EVENT_COMPLETED_AT_UNKNOWN},
        {"{\"type\":null," ID ",\"token\":\"eyJ\",\"applicationUri\":null,\"completedAt\":null}",
         "A-1001", "eyJ", EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"token\":null,\"applicationUri\":\"https://example.com/?seek-token=a\"}",
         "A-1001", "a", EVENT_COMPLETED_AT_UNKNOWN},
        /* Without one the stored seek-token counts, however that is written. */
        {"{" ID ",\"token\":null}", "A-1001", NULL, EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"token\":\"\"}", "A-1001", NULL, EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"applicationUri\":null}", "A-1001", NULL, EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"applicationUri\":\"https://example.com/job/1\"}", "A-1001", NULL,
         EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"token\":\"\",\"applicationUri\":\"https://example.com/?seek-token=a\"}",
         "A-1001", "a", EVENT_COMPLETED_AT_UNKNOWN},
        {"{" ID ",\"completedAt\":\"2026-01-02T03:04Z\"}", "A-1001", NULL, 1767323040000},
        /* Unknown members are ignored, whatever they hold. */
        {"{\"x\":null,\"x\":{\"applicationId\":7}," ID
         ",\"Token\":1,\"traceparent\":2,\"applicationid\":[]}",
         "A-1001", NULL, EVENT_COMPLETED_AT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct event_list *list = event_list_parse(cases[i].body, strlen(cases[i].body),
                                                   EVENT_FORMAT_JSON, BATCH_MAX, &rejection);
        if (list == NULL)
            fail_msg("%s: %s", cases[i].body, rejection.detail);
        assert_false(list->is_batch);
        assert_int_equal(list->count, 1);
        const struct event *event = list->entries[0].event;
        assert_non_null(event);
        assert_string_equal(event->application_id, cases[i].application_id);
        if (cases[i].seek_token != NULL)
            assert_string_equal(event->seek_token, cases[i].seek_token);
        else
            assert_null(event->seek_token);
        assert_null(event->traceparent);
        assert_true(event->completed_at_ms == cases[i].completed_at_ms);
        event_list_destroy(list);
    }
}

static const struct {
    const char *body;
    enum rejection_code code;
    const char *field;
} refused[] = {
    /* The document. */
    {"", REJECTED_NOT_JSON, ""},
    {" \r\n", REJECTED_NOT_JSON, ""},
    {"applicationId=secret", REJECTED_NOT_JSON, ""},
    {"{" ID, REJECTED_NOT_JSON, ""},
    {"{" ID ",}", REJECTED_NOT_JSON, ""},
    {"{" ID "} {" ID "}", REJECTED_NOT_JSON, ""},
    {"{" ID "} x", REJECTED_NOT_JSON, ""},
    {"{'applicationId':'A'}", REJECTED_NOT_JSON, ""},
    {"{/**/" ID "}", REJECTED_NOT_JSON, ""},
    {"{" ID ",\"x\":NaN}", REJECTED_NOT_JSON, ""},
    {"{" ID ",\"token\":\"secret\xff\"}", REJECTED_NOT_JSON, ""},
    {"{" ID ",\"token\":\"secret\n\"}", REJECTED_NOT_JSON, ""},
    {"{" ID ",\"token\":\"secret\\u0000\"}", REJECTED_NOT_JSON, ""},
    {"{" ID ",\"token\":\"secret\\ud800\"}", REJECTED_NOT_JSON, ""},
    {"\xef\xbb\xbf{" ID "}", REJECTED_NOT_JSON, ""},
    {"{" ID ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", REJECTED_NOT_JSON, ""},
    {"null", REJECTED_NOT_AN_OBJECT, ""},
    {"\"secret\"", REJECTED_NOT_AN_OBJECT, ""},
    {"42", REJECTED_NOT_AN_OBJECT, ""},

    /* Known members come once, however they are spelled. */
    {"{" ID "," ID "}", REJECTED_REPEATED_MEMBER, "applicationId"},
    {"{" ID ",\"token\":\"secret\",\"token\":\"secret2\"}", REJECTED_REPEATED_MEMBER, "token"},
    {"{" ID ",\"token\":\"secret\",\"tok\\u0065n\":\"secret2\"}", REJECTED_REPEATED_MEMBER,
     "token"},
    {"{" ID ",\"token\":1,\"token\":\"secret\"}", REJECTED_REPEATED_MEMBER, "token"},
    {"{" ID ",\"type\":\"application.completed\",\"type\":\"application.completed\"}",
     REJECTED_REPEATED_MEMBER, "type"},
    {"{" ID ",\"completedAt\":\"2026-01-02T03:04:05Z\",\"completedAt\":\"2026-01-02T03:04:05Z\"}",
     REJECTED_REPEATED_MEMBER, "completedAt"},
    {"{" ID ",\"applicationUri\":\"\",\"applicationUri\":\"\"}", REJECTED_REPEATED_MEMBER,
     "applicationUri"},

    {"{" ID ",\"type\":\"application.created\"}", REJECTED_TYPE, "type"},
    {"{" ID ",\"type\":\"Application.Completed\"}", REJECTED_TYPE, "type"},
    {"{" ID ",\"type\":\"\"}", REJECTED_TYPE, "type"},
    {"{" ID ",\"type\":7}", REJECTED_TYPE, "type"},

    {"{}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"token\":\"secret\"}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":\"\"}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":null}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":1001}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":{\"id\":\"A\"}}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":\"A\\n\"}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":\"A\\u007f\"}", REJECTED_APPLICATION_ID, "applicationId"},
    {"{\"applicationId\":\"A\\u009f\"}", REJECTED_APPLICATION_ID, "applicationId"},

    {"{" ID ",\"token\":12345}", REJECTED_TOKEN, "token"},
    {"{" ID ",\"token\":[\"secret\"]}", REJECTED_TOKEN, "token"},
    {"{" ID ",\"token\":\"secret \"}", REJECTED_TOKEN, "token"},
    {"{" ID ",\"token\":\"secret\\n\"}", REJECTED_TOKEN, "token"},
    {"{" ID ",\"token\":\"secret%3D\"}", REJECTED_TOKEN_ENCODED, "token"},

    {"{" ID ",\"token\":\"secret\",\"applicationUri\":\"https://example.com/?seek-token=secret\"}",
     REJECTED_TOKEN_AND_URI, "applicationUri"},
    {"{" ID ",\"applicationUri\":\"secret\",\"token\":\"secret\"}", REJECTED_TOKEN_AND_URI,
     "applicationUri"},
    {"{" ID ",\"applicationUri\":\"\"}", REJECTED_APPLICATION_URI, "applicationUri"},
    {"{" ID ",\"applicationUri\":\"/?seek-token=secret\"}", REJECTED_APPLICATION_URI,
     "applicationUri"},
    {"{" ID ",\"applicationUri\":\"https://example.com/?seek-token=secret%20\"}", REJECTED_TOKEN,
     "applicationUri"},

    {"{" ID ",\"completedAt\":1767323045678}", REJECTED_COMPLETED_AT, "completedAt"},
    {"{" ID ",\"completedAt\":\"\"}", REJECTED_COMPLETED_AT, "completedAt"},
    {"{" ID ",\"completedAt\":\"2026-01-02\"}", REJECTED_COMPLETED_AT, "completedAt"},
    {"{" ID ",\"completedAt\":\"2026-01-02T03:04:05\"}", REJECTED_COMPLETED_AT, "completedAt"},
    {"{" ID ",\"completedAt\":\"2026-02-30T03:04:05Z\"}", REJECTED_COMPLETED_AT, "completedAt"},
    {"{" ID ",\"completedAt\":\"2026-01-02T03:04:05Z \"}", REJECTED_COMPLETED_AT, "completedAt"},
    {"{" ID ",\"completedAt\":\"1970-01-01T00:59:59.999+01:00\"}", REJECTED_COMPLETED_AT,
     "completedAt"},
};

static void refuses_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct rejection rejection;
        const char *body = refused[i].body;
        struct event_list *list =
            event_list_parse(body, strlen(body), EVENT_FORMAT_JSON, BATCH_MAX, &rejection);
        if (list != NULL)
            fail_msg("accepted: %s", body);
        if (rejection.code != refused[i].code || strcmp(rejection.field, refused[i].field) != 0)
            fail_msg("%s: %s: %s", body, rejection.field, rejection.detail);
    }
}

static void explains_every_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct rejection rejection;
        const char *body = refused[i].body;
        assert_null(event_list_parse(body, strlen(body), EVENT_FORMAT_JSON, BATCH_MAX, &rejection));
        assert_in_range(strlen(rejection.detail), 10, sizeof rejection.detail - 2);
        assert_in_range(strlen(rejection.remedy), 10, sizeof rejection.remedy - 2);
        assert_null(strstr(rejection.detail, "secret"));
        assert_null(strstr(rejection.remedy, "secret"));
    }
}

static void refuses_a_raw_nul(void **state)
{
    (void)state;
    static const char body[] = "{" ID "}\0";
    struct rejection rejection;
    assert_null(event_list_parse(body, sizeof body - 1, EVENT_FORMAT_JSON, BATCH_MAX, &rejection));
    assert_int_equal(rejection.code, REJECTED_NOT_JSON);
}

/* Each truncation of a good event is refused, and none is read beyond its end (under ASan). */
static void refuses_every_truncation(void **state)
{
    (void)state;
    static const char body[] = "{\"type\":\"application.completed\"," ID ",\"token\":\"eyJ\"}";
    for (size_t length = 0; length < sizeof body - 1; length++) {
        struct rejection rejection;
        char *cut = strndup(body, length);
        assert_non_null(cut);
        assert_null(event_list_parse(cut, length, EVENT_FORMAT_JSON, BATCH_MAX, &rejection));
        assert_int_equal(rejection.code, REJECTED_NOT_JSON);
        free(cut);
    }
}

static void bounds_application_ids(void **state)
{
    (void)state;
    struct rejection rejection;
    char id[APPLICATION_ID_BYTES_MAX + 1];
    memset(id, 'a', sizeof id);
    assert_true(application_id_check(id, 1, &rejection));
    assert_true(application_id_check(id, APPLICATION_ID_BYTES_MAX, &rejection));
    assert_false(application_id_check(id, APPLICATION_ID_BYTES_MAX + 1, &rejection));
    assert_int_equal(rejection.code, REJECTED_APPLICATION_ID);
    assert_false(application_id_check(id, 0, &rejection));
}

static void judges_characters_of_application_ids(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        size_t length;
        bool is_valid;
    } cases[] = {
        {"a b/c?d#e:{f}", 13, true},
        {"\xc2\xa0", 2, true},
        {"\xe2\x82\xac", 3, true},
        {"a\0b", 3, false},
        {"\x1f", 1, false},
        {"\x7f", 1, false},
        {"\xc2\x80", 2, false},
        {"\xc2\x9f", 2, false},
        {"\xc0\xaf", 2, false},
        {"\xed\xa0\x80", 3, false},
        {"\xf4\x90\x80\x80", 4, false},
        {"\xe2\x82", 2, false},
        /* What a URL's path cannot hold as a segment. */
        {".", 1, false},
        {"..", 2, false},
        {"...", 3, true},
        {".a", 2, true},
        {"a.", 2, true},
        {"../..", 5, true},
        {"./", 2, true},
        {"%2e", 3, true},
        {"%2E%2e", 6, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        assert_int_equal(application_id_check(cases[i].id, cases[i].length, &rejection),
                         cases[i].is_valid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads an event and ignores what it does not know", reads_every_member),
        IT("refuses each mistake with its own code and names the member", refuses_the_rest),
        IT("says what is wrong and what to do, and never quotes a seek-token",
           explains_every_refusal),
        IT("refuses a NUL behind the event", refuses_a_raw_nul),
        IT("refuses an event that was cut anywhere", refuses_every_truncation),
        IT("takes application ids of 1 to 256 bytes", bounds_application_ids),
        IT("takes application ids of UTF-8 without control characters",
           judges_characters_of_application_ids),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
