/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/wait.h"

#include "tests/support/specification.h"

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"5s", 5000},   {"500ms", 500}, {"5", 5000},        {"0", 0},       {"0ms", 0},
        {"30s", 30000}, {"30", 30000},  {"30000ms", 30000}, {"007s", 7000}, {"1ms", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = -1;
        assert_true(wait_parse(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "s",
        "ms",
        "forever",
        "-1",
        "+1",
        "1.5s",
        "5 s",
        " 5",
        "5sec",
        "5m",
        "5S",
        "31s",
        "31",
        "30001ms",
        "99999999999999999999",
        "99999999999999999999ms",
        "5s5s",
        "0x5",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms = -1;
        assert_false(wait_parse(texts[i], &ms));
        assert_int_equal(ms, -1);
    }
}

static void looks_less_and_less_often(void **state)
{
    (void)state;
    static const int64_t pauses_ms[] = {20, 40, 80, 160, 250, 250, 250};
    for (unsigned i = 0; i < sizeof pauses_ms / sizeof pauses_ms[0]; i++)
        assert_int_equal(wait_pause_ms(i), pauses_ms[i]);
    assert_int_equal(wait_pause_ms(UINT32_MAX), 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads seconds and milliseconds up to thirty seconds", reads_durations),
        IT("refuses everything else", refuses_everything_else),
        IT("looks less and less often, at last four times a second", looks_less_and_less_often),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
