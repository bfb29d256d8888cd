/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "service/domain/event.h"

#include "tests/support/specification.h"

enum { BATCH_MAX = 3 };

#define EVENT(id) "{\"applicationId\":\"" id "\",\"token\":\"t-" id "\"}"
#define CLOUD_EVENT(id)                                                                            \
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"                                         \
    "ats\",\"type\":\"application.completed\","                                                    \
    "\"data\":" EVENT(id) "}"

/* --- allocations that fail: the linker sends the program's own calls here --------------------- */

static int allocations_before_failure = -1; /* negative: none fails */

static bool is_refused(void)
{
    return allocations_before_failure >= 0 && allocations_before_failure-- == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size)
{
    return is_refused() ? NULL : __real_realloc(block, size);
}

char *__real_strndup(const char *text, size_t length);
char *__wrap_strndup(const char *text, size_t length);
char *__wrap_strndup(const char *text, size_t length)
{
    return is_refused() ? NULL : __real_strndup(text, length);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return is_refused() ? NULL : __real_strdup(text);
}

static struct event_list *parse(const char *body, enum event_format format,
                                struct rejection *rejection)
{
    return event_list_parse(body, strlen(body), format, BATCH_MAX, rejection);
}

/* --- whole bodies ---------------------------------------------------------------------------- */

/* `ids`: one letter per entry, the application id or '!' for one that is refused. */
static void reads_batches(void **state)
{
    (void)state;
    static const struct {
        enum event_format format;
        const char *body, *ids;
        bool is_batch;
    } cases[] = {
        {EVENT_FORMAT_JSON, EVENT("a"), "a", false},
        {EVENT_FORMAT_JSON, "[" EVENT("a") "]", "a", true},
        {EVENT_FORMAT_JSON, " [ " EVENT("a") " , " EVENT("b") " ] ", "ab", true},
        {EVENT_FORMAT_JSON, "[" EVENT("a") "," EVENT("a") "]", "aa", true},
        {EVENT_FORMAT_JSON, "[" EVENT("a") ",{}," EVENT("c") "]", "a!c", true},
        {EVENT_FORMAT_JSON, "[null,[],7]", "!!!", true},

        {EVENT_FORMAT_NDJSON, EVENT("a"), "a", true},
        {EVENT_FORMAT_NDJSON, EVENT("a") "\n" EVENT("b") "\n", "ab", true},
        {EVENT_FORMAT_NDJSON, "\n\r\n \t\n" EVENT("a") "\r\n\n" EVENT("b") " \r\n\n", "ab", true},
        {EVENT_FORMAT_NDJSON, EVENT("a") "\n{\"applicationId\":\n" EVENT("c"), "a!c", true},
        {EVENT_FORMAT_NDJSON, EVENT("a") "\n[" EVENT("b") "]\n" EVENT("c"), "a!c", true},
        {EVENT_FORMAT_NDJSON, EVENT("a") " " EVENT("b") "\n" EVENT("c"), "!c", true},
        {EVENT_FORMAT_NDJSON, "garbage\n\xff\n" EVENT("c"), "!!c", true},

        {EVENT_FORMAT_CLOUD_EVENT, CLOUD_EVENT("a"), "a", false},
        {EVENT_FORMAT_CLOUD_EVENT_BATCH, "[" CLOUD_EVENT("a") "]", "a", true},
        {EVENT_FORMAT_CLOUD_EVENT_BATCH,
         "[" CLOUD_EVENT("a") "," EVENT("b") "," CLOUD_EVENT("c") "]", "a!c", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct event_list *list = parse(cases[i].body, cases[i].format, &rejection);
        if (list == NULL)
            fail_msg("%s: %s", cases[i].body, rejection.detail);
        assert_int_equal(list->is_batch, cases[i].is_batch);
        assert_int_equal(list->count, strlen(cases[i].ids));
        for (size_t n = 0; n < list->count; n++) {
            const struct event_entry *entry = &list->entries[n];
            if (cases[i].ids[n] == '!') {
                assert_null(entry->event);
                assert_true(entry->rejection.detail[0] != '\0');
                continue;
            }
            assert_non_null(entry->event);
            assert_int_equal(entry->event->application_id[0], cases[i].ids[n]);
            assert_int_equal(entry->event->seek_token[2], cases[i].ids[n]);
        }
        event_list_destroy(list);
    }
}

static void refuses_whole_bodies(void **state)
{
    (void)state;
    static const struct {
        enum event_format format;
        const char *body;
        enum rejection_code code;
    } cases[] = {
        {EVENT_FORMAT_JSON, "[]", REJECTED_EMPTY_BATCH},
        {EVENT_FORMAT_JSON, "[{},{},{},{}]", REJECTED_BATCH_TOO_LONG},
        {EVENT_FORMAT_JSON, "[" EVENT("a") ",{]", REJECTED_NOT_JSON},
        {EVENT_FORMAT_JSON, "[" EVENT("a") ",]", REJECTED_NOT_JSON},
        {EVENT_FORMAT_JSON, "[" EVENT("a") "]]", REJECTED_NOT_JSON},
        {EVENT_FORMAT_JSON, EVENT("a") "\n" EVENT("b"), REJECTED_NOT_JSON},
        {EVENT_FORMAT_NDJSON, "", REJECTED_EMPTY_BATCH},
        {EVENT_FORMAT_NDJSON, "\n \r\n\t\n", REJECTED_EMPTY_BATCH},
        {EVENT_FORMAT_NDJSON, "{}\n{}\n{}\n{}", REJECTED_BATCH_TOO_LONG},
        {EVENT_FORMAT_CLOUD_EVENT, "[" CLOUD_EVENT("a") "]", REJECTED_NOT_AN_OBJECT},
        {EVENT_FORMAT_CLOUD_EVENT, "7", REJECTED_NOT_AN_OBJECT},
        {EVENT_FORMAT_CLOUD_EVENT_BATCH, CLOUD_EVENT("a"), REJECTED_NOT_AN_OBJECT},
        {EVENT_FORMAT_CLOUD_EVENT_BATCH, "[]", REJECTED_EMPTY_BATCH},
        {EVENT_FORMAT_CLOUD_EVENT_BATCH, "", REJECTED_NOT_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct event_list *list = parse(cases[i].body, cases[i].format, &rejection);
        if (list != NULL)
            fail_msg("accepted: %s", cases[i].body);
        if (rejection.code != cases[i].code)
            fail_msg("%s: %s", cases[i].body, rejection.detail);
        assert_true(rejection.detail[0] != '\0' && rejection.remedy[0] != '\0');
    }
}

static void gives_each_bad_event_its_own_refusal(void **state)
{
    (void)state;
    static const struct {
        enum event_format format;
        const char *body;
        enum rejection_code codes[BATCH_MAX];
    } cases[] = {
        {EVENT_FORMAT_JSON,
         "[{\"applicationId\":\"a\",\"applicationId\":\"b\"},"
         "{\"applicationId\":\"c\",\"token\":\"d%3D\"},{\"applicationId\":\"e\",\"token\":7}]",
         {REJECTED_REPEATED_MEMBER, REJECTED_TOKEN_ENCODED, REJECTED_TOKEN}},
        {EVENT_FORMAT_NDJSON,
         "{\"applicationId\":\"a\",\"applicationId\":\"b\"}\n{\n7\n",
         {REJECTED_REPEATED_MEMBER, REJECTED_NOT_JSON, REJECTED_NOT_AN_OBJECT}},
        {EVENT_FORMAT_CLOUD_EVENT_BATCH,
         "[{\"id\":\"1\",\"id\":\"2\"},{},\"a\"]",
         {REJECTED_REPEATED_MEMBER, REJECTED_CLOUD_EVENT, REJECTED_NOT_AN_OBJECT}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rejection rejection;
        struct event_list *list = parse(cases[i].body, cases[i].format, &rejection);
        assert_non_null(list);
        assert_int_equal(list->count, BATCH_MAX);
        for (size_t n = 0; n < BATCH_MAX; n++) {
            assert_null(list->entries[n].event);
            assert_int_equal(list->entries[n].rejection.code, cases[i].codes[n]);
        }
        event_list_destroy(list);
    }
}

static void keeps_a_repeated_member_to_its_event(void **state)
{
    (void)state;
    struct rejection rejection;
    struct event_list *list = parse(
        "[" EVENT("a") ",{\"applicationId\":\"b\",\"token\":\"t\",\"token\":\"u\"}," EVENT("c") "]",
        EVENT_FORMAT_JSON, &rejection);
    assert_non_null(list);
    assert_non_null(list->entries[0].event);
    assert_null(list->entries[1].event);
    assert_int_equal(list->entries[1].rejection.code, REJECTED_REPEATED_MEMBER);
    assert_string_equal(list->entries[1].rejection.field, "token");
    assert_non_null(list->entries[2].event);
    event_list_destroy(list);
}

/* The first one fails, then the second, until none is left to fail. */
static void survives_every_failed_allocation(void **state)
{
    (void)state;
    static const struct {
        enum event_format format;
        const char *body;
    } cases[] = {
        {EVENT_FORMAT_JSON, EVENT("a")},
        {EVENT_FORMAT_JSON,
         "{\"applicationId\":\"a\",\"applicationUri\":\"http://a?seek-token=b\"}"},
        {EVENT_FORMAT_JSON, "[" EVENT("a") "," EVENT("b") "]"},
        {EVENT_FORMAT_NDJSON, EVENT("a") "\n" EVENT("b")},
        {EVENT_FORMAT_CLOUD_EVENT,
         "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/"
         "\",\"type\":\"application.completed\","
         "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\","
         "\"data_base64\":\"eyJhcHBsaWNhdGlvbklkIjoiYSJ9\"}"},
    };
    enum { ALLOCATIONS_MAX = 1000 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool is_complete = false;
        int granted = 0;
        for (; granted < ALLOCATIONS_MAX && !is_complete; granted++) {
            struct rejection rejection;
            allocations_before_failure = granted;
            struct event_list *list = parse(cases[i].body, cases[i].format, &rejection);
            allocations_before_failure = -1;
            is_complete = list != NULL;
            if (list == NULL)
                assert_int_equal(rejection.code, REJECTED_OUT_OF_MEMORY);
            for (size_t n = 0; list != NULL && n < list->count; n++) {
                const struct event *event = list->entries[n].event;
                if (event != NULL) { /* then it is whole */
                    assert_int_equal(event->traceparent != NULL,
                                     strstr(cases[i].body, "traceparent") != NULL);
                    continue;
                }
                is_complete = false;
                assert_int_equal(list->entries[n].rejection.code, REJECTED_OUT_OF_MEMORY);
            }
            event_list_destroy(list);
        }
        assert_true(is_complete);
        assert_true(granted > 2);
    }
}

static void destroys_nothing(void **state)
{
    (void)state;
    event_list_destroy(NULL);
    event_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads one event, an array, lines and CloudEvents, in order", reads_batches),
        IT("refuses a body that is not JSON, empty, too long or of another form",
           refuses_whole_bodies),
        IT("gives each bad event its own refusal", gives_each_bad_event_its_own_refusal),
        IT("spoils only the event that repeats a member", keeps_a_repeated_member_to_its_event),
        IT("refuses the request and leaks nothing when any allocation fails",
           survives_every_failed_allocation),
        IT("destroys NULL", destroys_nothing),
    };
    return cmocka_run_group_tests_name("event_list", tests, NULL, NULL);
}
