/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/domain/event.h"

#include "tests/support/specification.h"

enum { BATCH_MAX = 1000 };

#define REQUIRED                                                                                   \
    "\"specversion\":\"1.0\",\"id\":\"e-1\",\"source\":\"/"                                        \
    "ats\",\"type\":\"application.completed\""
#define DATA "\"data\":{\"applicationId\":\"A-1001\",\"token\":\"t-1\"}"
#define TIME "\"time\":\"2026-01-02T03:04:05.678Z\""
#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct event_list *parse(const char *body, struct rejection *rejection)
{
    return event_list_parse(body, strlen(body), EVENT_FORMAT_CLOUD_EVENT, BATCH_MAX, rejection);
}

static void reads_the_event_inside(void **state)
{
    (void)state;
    static const struct {
        const char *body, *traceparent;
    } cases[] = {
        {"{" REQUIRED "," DATA "}", NULL},
        {"{" DATA "," REQUIRED ",\"datacontenttype\":\"application/json\",\"subject\":7}", NULL},
        {"{" REQUIRED "," DATA ",\"time\":\"2026-01-02T03:04:05Z\",\"extension\":{}}", NULL},
        {"{" REQUIRED ",\"data\":{\"type\":\"application.completed\",\"applicationId\":\"A-1001\","
         "\"token\":\"t-1\",\"id\":\"x\"}}",
         NULL},
        {"{" REQUIRED ",\"data_base64\":"
         "\"eyJhcHBsaWNhdGlvbklkIjoiQS0xMDAxIiwidG9rZW4iOiJ0LTEifQ==\"}",
         NULL},
        {"{" REQUIRED "," DATA ",\"traceparent\":\"" TRACE "\"}", TRACE},
        /* One that is invalid is as good as none. */
        {"{" REQUIRED "," DATA ",\"traceparent\":\"00-1-1-01\"}", NULL},
        {"{" REQUIRED "," DATA ",\"traceparent\":null}", NULL},
        {"{" REQUIRED ",\"data\":{\"applicationId\":\"A-1001\",\"token\":\"t-1\","
         "\"traceparent\":\"" TRACE "\"}}",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct event_list *list = parse(cases[i].body, &rejection);
        if (list == NULL)
            fail_msg("%s: %s", cases[i].body, rejection.detail);
        const struct event *event = list->entries[0].event;
        assert_string_equal(event->application_id, "A-1001");
        assert_string_equal(event->seek_token, "t-1");
        if (cases[i].traceparent != NULL)
            assert_string_equal(event->traceparent, cases[i].traceparent);
        else
            assert_null(event->traceparent);
        event_list_destroy(list);
    }
}

static void takes_the_time_of_an_event_that_has_none(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t completed_at_ms;
    } cases[] = {
        {"{" REQUIRED "," TIME "," DATA "}", 1767323045678},
        {"{" REQUIRED "," TIME ",\"data_base64\":"
         "\"eyJhcHBsaWNhdGlvbklkIjoiQS0xMDAxIiwidG9rZW4iOiJ0LTEifQ==\"}",
         1767323045678},
        {"{" REQUIRED "," TIME ",\"data\":{\"applicationId\":\"A\","
         "\"completedAt\":\"1970-01-01T00:00:01Z\"}}",
         1000},
        {"{" REQUIRED ",\"data\":{\"applicationId\":\"A\",\"time\":\"any\"}}",
         EVENT_COMPLETED_AT_UNKNOWN},
        {"{" REQUIRED ",\"time\":null," DATA "}", EVENT_COMPLETED_AT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct event_list *list = parse(cases[i].body, &rejection);
        if (list == NULL)
            fail_msg("%s: %s", cases[i].body, rejection.detail);
        assert_int_equal(list->entries[0].event->completed_at_ms, cases[i].completed_at_ms);
        event_list_destroy(list);
    }
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum rejection_code code;
        const char *field;
    } cases[] = {
        {"{" REQUIRED ",\"time\":\"yesterday\"," DATA "}", REJECTED_COMPLETED_AT, "time"},
        {"{" REQUIRED ",\"time\":\"\"," DATA "}", REJECTED_COMPLETED_AT, "time"},
        {"{" REQUIRED ",\"time\":1767323045," DATA "}", REJECTED_COMPLETED_AT, "time"},
        {"{" REQUIRED "," TIME "," TIME "," DATA "}", REJECTED_REPEATED_MEMBER, "time"},
        {"{}", REJECTED_CLOUD_EVENT, "id"},
        {"{" DATA "}", REJECTED_CLOUD_EVENT, "id"},
        {"{\"id\":1,\"source\":\"s\",\"specversion\":\"1.0\",\"type\":\"application.completed\"}",
         REJECTED_CLOUD_EVENT, "id"},
        {"{\"id\":\"1\",\"specversion\":\"1.0\",\"type\":\"application.completed\"," DATA "}",
         REJECTED_CLOUD_EVENT, "source"},
        {"{\"id\":\"1\",\"source\":\"\",\"specversion\":\"1.0\",\"type\":\"application."
         "completed\"}",
         REJECTED_CLOUD_EVENT, "source"},
        {"{\"id\":\"1\",\"source\":\"s\",\"type\":\"application.completed\"," DATA "}",
         REJECTED_CLOUD_EVENT, "specversion"},
        {"{\"id\":\"1\",\"source\":\"s\",\"specversion\":\"0.3\",\"type\":\"application."
         "completed\"}",
         REJECTED_CLOUD_EVENT, "specversion"},
        {"{\"id\":\"1\",\"source\":\"s\",\"specversion\":1.0,\"type\":\"application.completed\"}",
         REJECTED_CLOUD_EVENT, "specversion"},
        {"{\"id\":\"1\",\"source\":\"s\",\"specversion\":\"1.0\"," DATA "}", REJECTED_CLOUD_EVENT,
         "type"},
        {"{\"id\":\"1\",\"source\":\"s\",\"specversion\":\"1.0\",\"type\":\"a.b\"," DATA "}",
         REJECTED_TYPE, "type"},

        {"{" REQUIRED "}", REJECTED_CLOUD_EVENT, "data"},
        {"{" REQUIRED "," DATA ",\"data_base64\":\"e30=\"}", REJECTED_CLOUD_EVENT, "data"},
        {"{" REQUIRED ",\"data\":null}", REJECTED_NOT_AN_OBJECT, "data"},
        {"{" REQUIRED
         ",\"data\":\"{\\\"applicationId\\\":\\\"A\\\",\\\"token\\\":\\\"secret\\\"}\"}",
         REJECTED_NOT_AN_OBJECT, "data"},
        {"{" REQUIRED ",\"data\":[{\"applicationId\":\"A\"}]}", REJECTED_NOT_AN_OBJECT, "data"},
        {"{" REQUIRED ",\"data_base64\":null}", REJECTED_CLOUD_EVENT, "data_base64"},
        {"{" REQUIRED ",\"data_base64\":{}}", REJECTED_CLOUD_EVENT, "data_base64"},
        {"{" REQUIRED ",\"data_base64\":\"e30\"}", REJECTED_CLOUD_EVENT, "data_base64"},
        {"{" REQUIRED ",\"data_base64\":\"\"}", REJECTED_NOT_JSON, "data_base64"},
        {"{" REQUIRED ",\"data_base64\":\"e30K/w==\"}", REJECTED_NOT_JSON, "data_base64"},
        {"{" REQUIRED ",\"data_base64\":\"W10=\"}", REJECTED_NOT_AN_OBJECT, ""},
        {"{" REQUIRED ",\"data_base64\":\"e30=\"}", REJECTED_APPLICATION_ID, "applicationId"},

        /* The event's own rules hold inside. */
        {"{" REQUIRED ",\"data\":{\"type\":\"a.b\",\"applicationId\":\"A\"}}", REJECTED_TYPE,
         "type"},
        {"{" REQUIRED ",\"data\":{\"applicationId\":\"A\",\"token\":\"secret%3D\"}}",
         REJECTED_TOKEN_ENCODED, "token"},

        /* Members that come twice. */
        {"{" REQUIRED "," DATA "," DATA "}", REJECTED_REPEATED_MEMBER, "data"},
        {"{" REQUIRED "," DATA ",\"id\":\"e-2\"}", REJECTED_REPEATED_MEMBER, "id"},
        {"{" REQUIRED "," DATA ",\"type\":\"application.completed\"}", REJECTED_REPEATED_MEMBER,
         "type"},
        {"{" REQUIRED ",\"data\":{\"applicationId\":\"A\",\"token\":\"secret\",\"token\":\"b\"}}",
         REJECTED_REPEATED_MEMBER, "token"},
        {"{" REQUIRED ",\"data_base64\":"
         "\"eyJhcHBsaWNhdGlvbklkIjoiQSIsImFwcGxpY2F0aW9uSWQiOiJCIn0=\"}",
         REJECTED_REPEATED_MEMBER, "applicationId"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        if (parse(cases[i].body, &rejection) != NULL)
            fail_msg("accepted: %s", cases[i].body);
        if (rejection.code != cases[i].code || strcmp(rejection.field, cases[i].field) != 0)
            fail_msg("%s: %s: %s", cases[i].body, rejection.field, rejection.detail);
        assert_null(strstr(rejection.detail, "secret"));
        assert_in_range(strlen(rejection.detail), 1, sizeof rejection.detail - 2);
        assert_in_range(strlen(rejection.remedy), 1, sizeof rejection.remedy - 2);
    }
}

static void checks_the_attributes_of_binary_mode(void **state)
{
    (void)state;
    static const struct {
        struct cloud_attributes attributes;
        bool is_valid;
        const char *field;
    } cases[] = {
        {{"1", "s", "1.0", "application.completed", NULL}, true, ""},
        {{"1", "s", "1.0", "application.completed", "1970-01-01T00:00:01Z"}, true, ""},
        {{"1", "s", "1.0", "application.completed", "1"}, false, "time"},
        {{NULL, "s", "1.0", "application.completed", NULL}, false, "id"},
        {{"1", NULL, "1.0", "application.completed", NULL}, false, "source"},
        {{"1", "s", NULL, "application.completed", NULL}, false, "specversion"},
        {{"1", "s", "1.0", NULL, NULL}, false, "type"},
        {{"", "s", "1.0", "application.completed", NULL}, false, "id"},
        {{"1", "s", "1.0.2", "application.completed", NULL}, false, "specversion"},
        {{"1", "s", "1.0", "application.completed.v2", NULL}, false, "type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection = {.code = REJECTION_CODE_COUNT};
        int64_t time_ms = 0;
        bool is_valid = event_cloud_attributes_check(&cases[i].attributes, &time_ms, &rejection);
        assert_int_equal(is_valid, cases[i].is_valid);
        if (is_valid)
            assert_int_equal(time_ms,
                             cases[i].attributes.time != NULL ? 1000 : EVENT_COMPLETED_AT_UNKNOWN);
        assert_string_equal(rejection.field, cases[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads the event in data or data_base64 and keeps a valid traceparent",
           reads_the_event_inside),
        IT("takes the envelope's time for an event that names none",
           takes_the_time_of_an_event_that_has_none),
        IT("refuses an envelope or an event that breaks a rule", refuses_the_rest),
        IT("checks the required attributes of binary mode", checks_the_attributes_of_binary_mode),
    };
    return cmocka_run_group_tests_name("cloud_event", tests, NULL, NULL);
}
