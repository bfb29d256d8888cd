/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "service/domain/delivery.h"

#include "tests/support/specification.h"

static const struct {
    enum delivery_state state;
    const char *name;
    bool is_final;
} states[] = {
    {DELIVERY_DRAFT, "draft", true},      {DELIVERY_PENDING, "pending", false},
    {DELIVERY_SENDING, "sending", false}, {DELIVERY_DELIVERED, "delivered", true},
    {DELIVERY_DEAD, "dead", true},
};

static void names_every_state(void **state)
{
    (void)state;
    assert_int_equal(sizeof states / sizeof states[0], DELIVERY_STATE_COUNT);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        enum delivery_state parsed = DELIVERY_STATE_COUNT;
        assert_string_equal(delivery_state_name(states[i].state), states[i].name);
        assert_true(delivery_state_parse(states[i].name, &parsed));
        assert_int_equal(parsed, states[i].state);
    }
}

static void refuses_other_names(void **state)
{
    (void)state;
    static const char *const names[] = {"", "Pending", "pending ", "deliver", "deadly"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum delivery_state parsed = DELIVERY_SENDING;
        assert_false(delivery_state_parse(names[i], &parsed));
        assert_int_equal(parsed, DELIVERY_SENDING);
    }
}

static void knows_where_nothing_happens_by_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        assert_int_equal(delivery_state_is_final(states[i].state), states[i].is_final);
}

static void makes_event_ids(void **state)
{
    (void)state;
    static const struct {
        unsigned char random[16];
        const char *id;
    } cases[] = {
        {{0}, "00000000-0000-4000-8000-000000000000"},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
          0xff},
         "ffffffff-ffff-4fff-bfff-ffff00000000"},
        {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x0f, 0xed, 0xcb, 0xa9, 0x87, 0x65, 0x43,
          0x21},
         "01234567-89ab-4def-8fed-cba900000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char id[ATTEMPT_ID_BYTES];
        event_id_make(cases[i].random, id);
        assert_string_equal(id, cases[i].id);
    }
}

static void numbers_attempts(void **state)
{
    (void)state;
    static const char event_id[] = "01234567-89ab-4def-8fed-cba900000000";
    static const struct {
        unsigned attempt;
        const char *id;
    } cases[] = {
        {1, "01234567-89ab-4def-8fed-cba900000001"},
        {255, "01234567-89ab-4def-8fed-cba9000000ff"},
        {UINT32_MAX, "01234567-89ab-4def-8fed-cba9ffffffff"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char id[ATTEMPT_ID_BYTES];
        attempt_id(event_id, cases[i].attempt, id);
        assert_string_equal(id, cases[i].id);
    }
}

static void survives_a_short_event_id(void **state)
{
    (void)state;
    char id[ATTEMPT_ID_BYTES];
    attempt_id("", 7, id);
    assert_string_equal(id, "00000007");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("has a name for every state, and finds the state by it", names_every_state),
        IT("knows no other name, in no other spelling", refuses_other_names),
        IT("tells the states in which nothing happens by itself",
           knows_where_nothing_happens_by_itself),
        IT("makes event ids that are UUIDs of version 4 with eight zeros at the end",
           makes_event_ids),
        IT("writes the attempt's number into the event id's zeros", numbers_attempts),
        IT("copes with an event id that somebody edited in Redis", survives_a_short_event_id),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
