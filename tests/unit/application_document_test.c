/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "service/inbound/application_document.h"

#include "tests/support/specification.h"

#define EVENT_ID "1d3a9a54-2f0e-4c1b-9d7e-8a5100000000"

static struct application draft(void)
{
    return (struct application){.id = "A\"1",
                                .state = DELIVERY_DRAFT,
                                .event_id = "",
                                .token_fingerprint = "9f86d081884c7d65",
                                .token_received_at_ms = 1000,
                                .generation = 1,
                                .last_class = "",
                                .last_code = "",
                                .last_message = "",
                                .traceparent = ""};
}

static void must_write(const struct application *application, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 65536);
    assert_true(application_write(&out, application, NULL));
    assert_string_equal(out.bytes, expected);
    buffer_fini(&out);
}

static void writes_a_draft(void **state)
{
    (void)state;
    struct application application = draft();
    must_write(&application,
               "{\"applicationId\":\"A\\\"1\",\"state\":\"draft\",\"generation\":1,\"attempts\":0,"
               "\"tokenFingerprint\":\"9f86d081884c7d65\","
               "\"tokenReceivedAt\":\"1970-01-01T00:00:01.000Z\","
               "\"requestIds\":[],\"requestIdsTotal\":0,\"history\":[]}");
}

static void writes_a_dead_one(void **state)
{
    (void)state;
    struct application application = draft();
    application.id = "A";
    application.state = DELIVERY_DEAD;
    application.event_id = EVENT_ID;
    application.attempts = 1;
    application.died_at_ms = 2500;
    application.last_class = "refused";
    application.last_code = "FORBIDDEN";
    application.last_message = "No \"relationship\"";
    application.last_http_status = 200;
    must_write(&application,
               "{\"applicationId\":\"A\",\"state\":\"dead\",\"generation\":1,\"attempts\":1,"
               "\"eventId\":\"" EVENT_ID "\",\"tokenFingerprint\":\"9f86d081884c7d65\","
               "\"tokenReceivedAt\":\"1970-01-01T00:00:01.000Z\","
               "\"diedAt\":\"1970-01-01T00:00:02.500Z\","
               "\"requestIds\":[\"1d3a9a54-2f0e-4c1b-9d7e-8a5100000001\"],\"requestIdsTotal\":1,"
               "\"history\":[],"
               "\"lastError\":{\"class\":\"refused\",\"code\":\"FORBIDDEN\","
               "\"message\":\"No \\\"relationship\\\"\",\"httpStatus\":200}}");
}

static void tells_what_came_of_each_attempt(void **state)
{
    (void)state;
    struct application application = draft();
    application.event_id = EVENT_ID;
    application.attempts = 12;
    application.history = "12 2500 delivered \n11 1500 transient TIMEOUT\n3 0 refused A \"code\"";
    struct buffer out;
    buffer_init(&out, 65536);
    assert_true(application_write(&out, &application, NULL));
    assert_non_null(strstr(
        out.bytes,
        "\"history\":["
        "{\"attempt\":12,\"at\":\"1970-01-01T00:00:02.500Z\",\"requestId\":"
        "\"1d3a9a54-2f0e-4c1b-9d7e-8a510000000c\",\"class\":\"delivered\"},"
        "{\"attempt\":11,\"at\":\"1970-01-01T00:00:01.500Z\",\"requestId\":"
        "\"1d3a9a54-2f0e-4c1b-9d7e-8a510000000b\",\"class\":\"transient\",\"code\":\"TIMEOUT\"},"
        "{\"attempt\":3,\"at\":\"1970-01-01T00:00:00.000Z\",\"requestId\":"
        "\"1d3a9a54-2f0e-4c1b-9d7e-8a5100000003\",\"class\":\"refused\","
        "\"code\":\"A \\\"code\\\"\"}]"));
    buffer_fini(&out);
}

static void a_delivery_is_no_error(void **state)
{
    (void)state;
    struct application application = draft();
    application.last_class = "delivered";
    application.last_http_status = 200;
    struct buffer out;
    buffer_init(&out, 65536);
    assert_true(application_write(&out, &application, NULL));
    assert_null(strstr(out.bytes, "lastError"));
    buffer_fini(&out);
}

static void shows_the_newest_request_ids(void **state)
{
    (void)state;
    struct application application = draft();
    application.event_id = EVENT_ID;
    application.attempts = 300;
    struct buffer out;
    buffer_init(&out, 65536);
    assert_true(application_write(&out, &application, NULL));
    assert_non_null(strstr(out.bytes, "\"requestIds\":[\"1d3a9a54-2f0e-4c1b-9d7e-8a510000012c\","));
    assert_non_null(strstr(out.bytes, "8a5100000119\"],\"requestIdsTotal\":300"));
    unsigned count = 0;
    for (const char *id = out.bytes; (id = strstr(id, "\"1d3a9a54-")) != NULL; id++)
        count++;
    assert_int_equal(count, REQUEST_IDS_SHOWN_MAX + 1); /* and eventId */
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("tells what came of each attempt", tells_what_came_of_each_attempt),
        IT("shows a draft by its fingerprint", writes_a_draft),
        IT("shows what SEEK said to a dead one", writes_a_dead_one),
        IT("does not call a delivery an error", a_delivery_is_no_error),
        IT("shows the newest twenty request ids and how many there are",
           shows_the_newest_request_ids),
    };
    return cmocka_run_group_tests_name("application_document", tests, NULL, NULL);
}
