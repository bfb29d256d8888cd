/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "service/notification/notification.h"

#include "tests/support/specification.h"

static struct buffer body;
static char id[NOTIFICATION_ID_BYTES];

static int start(void **state)
{
    (void)state;
    buffer_init(&body, NOTIFICATION_BYTES_MAX);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    buffer_fini(&body);
    return 0;
}

static struct application dead_one(void)
{
    return (struct application){
        .id = "A \"1\"",
        .state = DELIVERY_DEAD,
        .event_id = "0b9cf2d3-9e0b-4e4f-8a00-000100000000",
        .token_fingerprint = "fingerprint",
        .accepted_at_ms = 1700000000000,
        .completed_at_ms = 1699999999000,
        .attempts = 3,
        .last_class = "refused",
        .last_code = "FORBIDDEN",
        .last_message = "no \xff hirer",
        .last_http_status = 200,
        .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    };
}

static void tells_of_a_death(void **state)
{
    (void)state;
    const struct application dead = dead_one();
    assert_true(notification_write_dead(&body, "queue-1", &dead, 1700000001234, id, NULL));
    assert_string_equal(id, "0b9cf2d3-9e0b-4e4f-8a00-000100000000-1700000001234");
    assert_string_equal(
        body.bytes,
        "{\"specversion\":\"1.0\",\"id\":\"0b9cf2d3-9e0b-4e4f-8a00-000100000000-1700000001234\","
        "\"source\":\"urn:seek-signal:queue-1\",\"type\":\"application.dead\","
        "\"time\":\"2023-11-14T22:13:21.234Z\",\"datacontenttype\":\"application/json\","
        "\"subject\":\"A \\\"1\\\"\","
        "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\","
        "\"data\":{\"applicationId\":\"A \\\"1\\\"\","
        "\"eventId\":\"0b9cf2d3-9e0b-4e4f-8a00-000100000000\",\"state\":\"dead\",\"attempts\":3,"
        "\"acceptedAt\":\"2023-11-14T22:13:20.000Z\",\"completedAt\":\"2023-11-14T22:13:19.000Z\","
        "\"diedAt\":\"2023-11-14T22:13:21.234Z\",\"lastError\":{\"class\":\"refused\","
        "\"code\":\"FORBIDDEN\",\"message\":\"no \xef\xbf\xbd hirer\",\"httpStatus\":200}}}");
}

/* What stands in Redis may be anybody's, and the id goes into a header. */
static void makes_an_id_that_can_be_a_header(void **state)
{
    (void)state;
    static const char *const event_ids[] = {"", "a\r\nX-Evil: 1", "0b9cf2d3.9e0b",
                                            "0b9cf2d3-9e0b-4e4f-8a00-0001000000000"};
    for (size_t i = 0; i < sizeof event_ids / sizeof event_ids[0]; i++) {
        struct application dead = dead_one();
        dead.event_id = event_ids[i];
        buffer_clear(&body);
        assert_true(notification_write_dead(&body, "q", &dead, 1, id, NULL));
        assert_int_equal(strspn(id, "0123456789abcdef-"), strlen(id));
        assert_int_equal(strlen(id), 34);
    }
}

/* Somebody else has written to the set of the dead. */
static void tells_of_no_death_without_a_time(void **state)
{
    (void)state;
    struct error error;
    const struct application dead = dead_one();
    assert_false(notification_write_dead(&body, "q", &dead, 0, id, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_false(notification_write_dead(&body, "q", &dead, -5, id, &error));
}

static void tells_that_sending_stalls_and_goes_on(void **state)
{
    (void)state;
    struct store_change change = {.to = SENDING_STALLED,
                                  .id = "0b9cf2d3-9e0b-4e4f-8a00-000100000000",
                                  .reason = "paused",
                                  .detail = "by \"us\"",
                                  .at_ms = 1700000001234};
    assert_true(notification_write_change(&body, "q", &change, id, NULL));
    assert_string_equal(id, change.id);
    assert_non_null(strstr(body.bytes, "\"type\":\"sending.stalled\""));
    assert_non_null(strstr(body.bytes, "\"data\":{\"state\":\"stalled\",\"reason\":\"paused\","
                                       "\"detail\":\"by \\\"us\\\"\"}}"));
    buffer_clear(&body);
    change = (struct store_change){
        .to = SENDING_RESUMED, .id = change.id, .reason = "", .detail = "", .at_ms = 1};
    assert_true(notification_write_change(&body, "q", &change, id, NULL));
    assert_non_null(strstr(body.bytes, "\"type\":\"sending.resumed\""));
    assert_non_null(strstr(body.bytes, "\"data\":{\"state\":\"resumed\"}}"));
    change.id = "not\nours";
    struct error error;
    assert_false(notification_write_change(&body, "q", &change, id, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
}

static void tells_that_somebody_tries_it(void **state)
{
    (void)state;
    const char *uuid = "0b9cf2d3-9e0b-4e4f-8a00-000100000000";
    assert_true(notification_write_test(&body, "queue-1", uuid, 1700000001234, id, NULL));
    assert_string_equal(id, uuid);
    assert_string_equal(body.bytes,
                        "{\"specversion\":\"1.0\",\"id\":\"0b9cf2d3-9e0b-4e4f-8a00-000100000000\","
                        "\"source\":\"urn:seek-signal:queue-1\",\"type\":\"notification.test\","
                        "\"time\":\"2023-11-14T22:13:21.234Z\","
                        "\"datacontenttype\":\"application/json\","
                        "\"data\":{\"sentBy\":\"seek-signal check\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT_WITH("tells of a death, without the seek-token", tells_of_a_death, start, stop),
        IT_WITH("makes an id that can stand in a header, whatever stands in Redis",
                makes_an_id_that_can_be_a_header, start, stop),
        IT_WITH("tells of no death without a time", tells_of_no_death_without_a_time, start, stop),
        IT_WITH("tells that sending stalls and goes on", tells_that_sending_stalls_and_goes_on,
                start, stop),
        IT_WITH("tells that somebody tries it", tells_that_somebody_tries_it, start, stop),
    };
    return cmocka_run_group_tests_name("notification", tests, NULL, NULL);
}
