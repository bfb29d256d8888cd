/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/base/rfc3339.h"

#include "tests/support/specification.h"

static const int64_t last_ms = 253402300799999;

static const struct {
    const char *text;
    int64_t ms;
} moments[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:00.001Z", 1},
    {"2026-01-02T03:04:05.678Z", 1767323045678},
    {"2007-12-03T10:15:30Z", 1196676930000},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
    /* Digits of a second: cut, not rounded; any number of them. */
    {"1970-01-01T00:00:01.5Z", 1500},
    {"1970-01-01T00:00:01.05Z", 1050},
    {"1970-01-01T00:00:01.9999Z", 1999},
    {"1970-01-01T00:00:01.123456789012345678901234567890Z", 1123},
    /* Without seconds. */
    {"1970-01-01T00:01Z", 60000},
    {"1970-01-01T01:01+01:00", 60000},
    /* Letters in any case. */
    {"1970-01-01t00:00:00z", 0},
    /* Offsets. */
    {"1970-01-01T01:00:00+01:00", 0},
    {"1969-12-31T16:00:00-08:00", 0},
    {"2026-01-02T13:34:05.678+10:30", 1767323045678},
    {"2026-01-02T03:04:05.678-00:00", 1767323045678},
    {"2026-01-01T03:05:05.678-23:59", 1767323045678},
    {"1970-01-01T23:59:00+23:59", 0},
    {"9999-12-31T00:00:59.999-23:59", 253402300799999},
    /* Leap years. */
    {"2024-02-29T00:00:00Z", 1709164800000},
    {"2000-02-29T00:00:00Z", 951782400000},
    {"2023-02-28T23:59:59Z", 1677628799000},
    {"2023-03-01T00:00:00Z", 1677628800000},
    {"2100-03-01T00:00:00Z", 4107542400000},
    /* Leap seconds: the last moment before. */
    {"2016-12-31T23:59:60Z", 1483228799999},
    {"2016-12-31T23:59:60.5Z", 1483228799999},
    {"2017-01-01T09:59:60+10:00", 1483228799999},
    {"2016-12-31T15:59:60.123-08:00", 1483228799999},
    /* After 2038. */
    {"2038-01-19T03:14:08Z", 2147483648000},
};

static void reads_moments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        int64_t ms = -1;
        if (!rfc3339_parse(moments[i].text, strlen(moments[i].text), &ms))
            fail_msg("%s was refused", moments[i].text);
        if (ms != moments[i].ms)
            fail_msg("%s was read as %lld", moments[i].text, (long long)ms);
    }
}

static const char *const garbage[] = {
    "",
    "now",
    "1767323045",
    "2026-01-02",
    "2026-01-02T03:04:05", /* no offset */
    "2026-01-02T03:04",
    "2026-01-02T03Z",
    "2026-01-02T03:04:Z",
    "2026-01-02T03:04.5Z",
    "2026-01-02 03:04:05Z", /* a space is no T */
    "2026-01-02T03:04:05.Z",
    "2026-01-02T03:04:05,678Z",
    "2026-01-02T03:04:05.678",
    "2026-01-02T03:04:05.678ZZ",
    "2026-01-02T03:04:05.678Z ",
    " 2026-01-02T03:04:05.678Z",
    "2026-01-02T03:04:05.678Z\n",
    "2026-1-02T03:04:05Z",
    "2026-01-2T03:04:05Z",
    "2026-01-02T3:04:05Z",
    "+2026-01-02T03:04:05Z",
    "-2026-01-02T03:04:05Z",
    "12026-01-02T03:04:05Z",
    "026-01-02T03:04:05Z",
    "20260102T030405Z",
    "2026/01/02T03:04:05Z",
    "2026-01-02T03.04.05Z",
    "2026-01-02T03:04:0xZ",
    "2026-01-02T 3:04:05Z",
    "2026-00-02T03:04:05Z",
    "2026-13-02T03:04:05Z",
    "2026-01-00T03:04:05Z",
    "2026-01-32T03:04:05Z",
    "2026-04-31T03:04:05Z",
    "2026-06-31T03:04:05Z",
    "2026-09-31T03:04:05Z",
    "2026-11-31T03:04:05Z",
    "2023-02-29T03:04:05Z",
    "2100-02-29T03:04:05Z", /* no leap year */
    "2024-02-30T03:04:05Z",
    "2026-01-02T24:00:00Z",
    "2026-01-02T03:60:05Z",
    "2026-01-02T03:04:61Z",
    "2026-01-02T03:04:60Z", /* leap seconds are at 23:59 UTC only */
    "2016-12-31T23:59:60+10:00",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+10:60",
    "2026-01-02T03:04:05+1000",
    "2026-01-02T03:04:05+10",
    "2026-01-02T03:04:05+",
    "2026-01-02T03:04:05+1:00",
    "2026-01-02T03:04:05UTC",
    "1969-12-31T23:59:59.999Z", /* before 1970 */
    "0000-01-01T00:00:00Z",
    "1970-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01", /* after 9999 */
};

static void refuses_everything_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        int64_t ms = 42;
        if (rfc3339_parse(garbage[i], strlen(garbage[i]), &ms))
            fail_msg("\"%s\" was read as %lld", garbage[i], (long long)ms);
        assert_int_equal(ms, 42);
    }
}

static void reads_no_further_than_the_length(void **state)
{
    (void)state;
    const char *text = "2026-01-02T03:04:05.678Z";
    int64_t ms;
    for (size_t length = 0; length < strlen(text); length++)
        assert_false(rfc3339_parse(text, length, &ms));
    assert_true(rfc3339_parse("1970-01-01T00:00:00Zjunk", 20, &ms));
    assert_false(rfc3339_parse("1970-01-01T00:00:00Z\0", 21, &ms));
}

static void writes_utc_with_milliseconds(void **state)
{
    (void)state;
    char text[RFC3339_BYTES];
    rfc3339_format(1767323045678, text);
    assert_string_equal(text, "2026-01-02T03:04:05.678Z");
    rfc3339_format(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    rfc3339_format(951782400007, text);
    assert_string_equal(text, "2000-02-29T00:00:00.007Z");
}

static void writes_the_nearest_moment_it_can(void **state)
{
    (void)state;
    char text[RFC3339_BYTES];
    rfc3339_format(INT64_MIN, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    rfc3339_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    /* A step of 11 days and some, so that all months, hours and digits come up. */
    for (int64_t ms = 0; ms <= last_ms; ms += 987654321) {
        char text[RFC3339_BYTES];
        int64_t again = -1;
        rfc3339_format(ms, text);
        assert_true(rfc3339_parse(text, strlen(text), &again));
        assert_int_equal(again, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads RFC 3339 moments", reads_moments),
        IT("refuses everything else", refuses_everything_else),
        IT("reads no further than the length", reads_no_further_than_the_length),
        IT("writes UTC with milliseconds", writes_utc_with_milliseconds),
        IT("writes the nearest moment that it can", writes_the_nearest_moment_it_can),
        IT("reads back what it writes", what_is_written_is_read_back),
    };
    return cmocka_run_group_tests_name("rfc3339", tests, NULL, NULL);
}
