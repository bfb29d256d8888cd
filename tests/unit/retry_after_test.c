/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/upstream_reply.h"

#include "tests/support/specification.h"

static const int64_t DAY_MS = INT64_C(86400000);
/* RFC 9110's example date, Sun, 06 Nov 1994 08:49:37 GMT, less a minute and a half. */
static const int64_t now_ms = INT64_C(784111777000) - 90000;

static void reads_both_forms(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t delay_ms;
    } cases[] = {
        {"0", 0},
        {"1", 1000},
        {"120", 120000},
        {"00120", 120000},
        {"86400", DAY_MS},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 90000},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 90000},
        {"Sun Nov  6 08:49:37 1994", 90000},
        /* Already over. */
        {"Sun, 06 Nov 1994 08:48:07 GMT", 0},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        /* More than a day. */
        {"86401", DAY_MS},
        {"9223372036854775807", DAY_MS},
        {"99999999999999999999999999999999999999", DAY_MS},
        {"Tue, 08 Nov 1994 08:49:37 GMT", DAY_MS},
        {"Fri, 31 Dec 9999 23:59:59 GMT", DAY_MS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(retry_after_parse_ms(cases[i].value, now_ms), cases[i].delay_ms);
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "soon",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "12 seconds",
        "0x10",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT, or later",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT",
        "1994-11-06T08:49:37Z",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(retry_after_parse_ms(cases[i], now_ms), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads seconds and the three forms of an HTTP date, at most a day", reads_both_forms),
        IT("takes anything else as not named", refuses_the_rest),
    };
    return cmocka_run_group_tests_name("retry_after", tests, NULL, NULL);
}
