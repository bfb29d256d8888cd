/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * cmocka with sentences: each test is named by what it specifies, so that the list of tests reads
 * as the specification.
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {
 *             IT("refuses a seek-token with white space", refuses_white_space),
 *         };
 *         return cmocka_run_group_tests_name("seek_token", tests, NULL, NULL);
 *     }
 */
#pragma once

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#define IT(sentence, function)                                                                     \
    {                                                                                              \
        (sentence), (function), NULL, NULL, NULL                                                   \
    }
#define IT_WITH(sentence, function, setup, teardown)                                               \
    {                                                                                              \
        (sentence), (function), (setup), (teardown), NULL                                          \
    }
