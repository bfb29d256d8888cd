/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/moment.h"

#include "tests/support/specification.h"

#define NOW_MS INT64_C(1767323045678) /* 2026-01-02T03:04:05.678Z */

static void reads_moments_and_how_long_ago(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-01-02T03:04:05.678Z", NOW_MS},
        {"2026-01-02T13:04:05.678+10:00", NOW_MS},
        {"0s", NOW_MS},
        {"90s", NOW_MS - 90000},
        {"30m", NOW_MS - 1800000},
        {"2h", NOW_MS - 7200000},
        {"7d", NOW_MS - 604800000},
        {"2w", NOW_MS - 1209600000},
        {"1d12h", NOW_MS - 129600000},
        {"1970-01-01T00:00:00Z", 1},
        {"99y", 0},
        {"80w", NOW_MS - INT64_C(48384000000)},
        {"3000w", 1}, /* before 1970 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 0;
        assert_int_equal(moment_parse(cases[i].text, NOW_MS, &ms), cases[i].ms != 0);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "h",
                                        "2",
                                        "-2h",
                                        "+2h",
                                        "2 h",
                                        "2H",
                                        "2h ",
                                        "1.5h",
                                        "2h3",
                                        "yesterday",
                                        "2026-01-02",
                                        "99999999999999999999s",
                                        "9999999w",
                                        "5200w5200w",
                                        "2ms"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms = -1;
        assert_false(moment_parse(texts[i], NOW_MS, &ms));
        assert_int_equal(ms, -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads moments, and how long ago", reads_moments_and_how_long_ago),
        IT("refuses everything else", refuses_everything_else),
    };
    return cmocka_run_group_tests_name("moment", tests, NULL, NULL);
}
