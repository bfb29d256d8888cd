/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/http_date.h"

#include "tests/support/specification.h"

static void reads_all_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        int64_t ms = 0;
        assert_true(http_date_parse(forms[i], &ms));
        assert_int_equal(ms, INT64_C(784111777000));
    }
}

static void refuses_anything_else(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "now",
                                         "Sun, 06 Nov 1994 08:49:37 CET",
                                         "Sun, 06 Nov 1994 08:49:37 GMT ",
                                         "Thu, 31 Feb 1994 08:49:37 GMT",
                                         "1994-11-06T08:49:37Z"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int64_t ms;
        if (http_date_parse(others[i], &ms))
            fail_msg("\"%s\" is read", others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads the form of today and the two obsolete ones", reads_all_forms),
        IT("refuses anything else", refuses_anything_else),
    };
    return cmocka_run_group_tests_name("http_date", tests, NULL, NULL);
}
