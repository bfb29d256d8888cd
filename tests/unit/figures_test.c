/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/command/figures.h"

#include "tests/support/specification.h"

enum { NOW_MS = 1767323045 /* s: 2026-01-02T03:04:05Z */ };

static void says_a_duration_in_its_two_largest_units(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *said;
    } cases[] = {
        {0, "0 s"},
        {33, "33 ms"},
        {-33, "33 ms"},
        {999, "999 ms"},
        {1000, "1 s"},
        {5116, "5 s"},
        {60000, "1 min"},
        {200999, "3 min 20 s"},
        {3600000, "1 h"},
        {3659999, "1 h"},
        {7500000, "2 h 5 min"},
        {86400000, "1 day"},
        {90000000, "1 day 1 h"},
        {1209600000, "14 days"},
        {INT64_MIN, "106751991167 days 7 h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[FIGURE_BYTES];
        figure_duration(cases[i].ms, said);
        assert_string_equal(said, cases[i].said);
    }
}

static void says_a_moment_by_its_distance_and_in_utc(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"2026-01-02T03:04:00.000Z", "5 s ago, 2026-01-02 03:04:00 UTC"},
        {"2026-01-02T03:04:05.000Z", "0 s ago, 2026-01-02 03:04:05 UTC"},
        {"2026-01-02T03:09:05.999Z", "in 5 min, 2026-01-02 03:09:05 UTC"},
        {"2026-01-02T05:04:00+02:00", "5 s ago, 2026-01-02 03:04:00 UTC"},
        {"1970-01-01T00:00:00Z", "20455 days 3 h ago, 1970-01-01 00:00:00 UTC"},
        {"yesterday", "yesterday"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[FIGURE_BYTES];
        figure_moment(cases[i].text, (int64_t)NOW_MS * 1000, said);
        assert_string_equal(said, cases[i].said);
    }
}

static void says_a_size_in_its_largest_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *said;
    } cases[] = {
        {0, "0 bytes"},    {1, "1 byte"},     {1023, "1023 bytes"},   {1024, "1.0 KiB"},
        {3500, "3.4 KiB"}, {20480, "20 KiB"}, {268435456, "256 MiB"}, {INT64_MAX, "8388608 TiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[FIGURE_BYTES];
        figure_size(cases[i].bytes, said);
        assert_string_equal(said, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("says a duration in its two largest units", says_a_duration_in_its_two_largest_units),
        IT("says a moment by its distance and in UTC", says_a_moment_by_its_distance_and_in_utc),
        IT("says a size in its largest unit", says_a_size_in_its_largest_unit),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
