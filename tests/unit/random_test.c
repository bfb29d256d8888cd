/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "lib/base/random.h"

#include "tests/support/specification.h"

static void a_uuid_has_the_form_of_version_4(void **state)
{
    (void)state;
    for (int round = 0; round < 1000; round++) {
        char text[UUID_BYTES];
        uuid_v4(text);
        assert_int_equal(strlen(text), UUID_BYTES - 1);
        assert_int_equal(strspn(text, "0123456789abcdef-"), UUID_BYTES - 1);
        for (size_t i = 0; i < UUID_BYTES - 1; i++) {
            bool is_dash_place = i == 8 || i == 13 || i == 18 || i == 23;
            assert_int_equal(text[i] == '-', is_dash_place);
        }
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
    }
}

static void no_two_are_alike(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    static uint64_t numbers[COUNT];
    static char uuids[COUNT][UUID_BYTES];
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = random_u64();
        uuid_v4(uuids[i]);
        for (size_t j = 0; j < i; j++) {
            assert_true(numbers[i] != numbers[j]);
            assert_string_not_equal(uuids[i], uuids[j]);
        }
    }
}

static void every_digit_of_a_uuid_is_random(void **state)
{
    (void)state;
    static char uuids[1000][UUID_BYTES];
    for (size_t i = 0; i < 1000; i++)
        uuid_v4(uuids[i]);
    for (size_t at = 0; at < UUID_BYTES - 1; at++) {
        bool is_fixed = at == 8 || at == 13 || at == 14 || at == 18 || at == 19 || at == 23;
        bool has_come[256] = {false};
        bool is_copy[UUID_BYTES - 1];
        memset(is_copy, !is_fixed, sizeof is_copy);
        for (size_t i = 0; i < 1000; i++) {
            has_come[(unsigned char)uuids[i][at]] = true;
            for (size_t other = 0; other < at; other++)
                is_copy[other] = is_copy[other] && uuids[i][other] == uuids[i][at];
        }
        for (const char *digit = "0123456789abcdef"; *digit != '\0'; digit++)
            assert_true(is_fixed || has_come[(unsigned char)*digit]);
        for (size_t other = 0; other < at; other++)
            assert_false(is_copy[other]);
    }
}

static void every_bit_comes_up(void **state)
{
    (void)state;
    uint64_t ones = 0, zeros = 0;
    for (int i = 0; i < 200; i++) {
        uint64_t number = random_u64();
        ones |= number;
        zeros |= ~number;
    }
    assert_true(ones == UINT64_MAX);
    assert_true(zeros == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives UUIDs in the form of version 4", a_uuid_has_the_form_of_version_4),
        IT("gives no two alike", no_two_are_alike),
        IT("makes every digit of a UUID random", every_digit_of_a_uuid_is_random),
        IT("uses every bit", every_bit_comes_up),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
