/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/waiting_room.h"

#include "tests/support/specification.h"

struct visitor {
    struct guest guest; /* first: found by a cast */
    unsigned looks, expiries;
    bool leaves_when_looking;
};

static void look(struct guest *guest)
{
    struct visitor *visitor = (struct visitor *)(void *)guest;
    visitor->looks++;
    if (visitor->leaves_when_looking)
        guest_leave(guest);
}

static void expire(struct guest *guest)
{
    assert_null(guest->next);
    ((struct visitor *)(void *)guest)->expiries++;
}

static struct visitor visitor(void)
{
    return (struct visitor){.guest = {.look = look, .expire = expire}};
}

static void is_quiet_when_empty(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room);
    assert_int_equal(waiting_room_timeout_ms(&room, 5), -1);
    waiting_room_turn(&room, 5);
    waiting_room_expire_all(&room);
}

static void lets_a_guest_look_and_expire(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room);
    struct visitor one = visitor();
    waiting_room_enter(&room, &one.guest, 1000, 100);
    assert_int_equal(waiting_room_timeout_ms(&room, 1000), 20);
    waiting_room_turn(&room, 1019);
    assert_int_equal(one.looks, 0);
    waiting_room_turn(&room, 1020);
    assert_int_equal(one.looks, 1);
    /* No second look while the first is on its way: then only the deadline counts. */
    waiting_room_turn(&room, 1090);
    assert_int_equal(one.looks, 1);
    assert_int_equal(waiting_room_timeout_ms(&room, 1090), 10);
    guest_looked(&one.guest, 1030);
    assert_int_equal(waiting_room_timeout_ms(&room, 1030), 40);
    waiting_room_turn(&room, 1070);
    assert_int_equal(one.looks, 2);
    waiting_room_turn(&room, 1100);
    assert_int_equal(one.expiries, 1);
    waiting_room_turn(&room, 2000);
    assert_int_equal(one.expiries, 1);
    assert_int_equal(one.looks, 2);
    assert_int_equal(waiting_room_timeout_ms(&room, 2000), -1);
}

static void is_never_late(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room);
    struct visitor one = visitor();
    waiting_room_enter(&room, &one.guest, 0, 50);
    assert_int_equal(waiting_room_timeout_ms(&room, 9999), 0);
    guest_leave(&one.guest);
}

static void knows_who_is_next(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room);
    struct visitor late = visitor(), soon = visitor();
    waiting_room_enter(&room, &late.guest, 100, 30000);
    waiting_room_enter(&room, &soon.guest, 100, 5);
    assert_int_equal(waiting_room_timeout_ms(&room, 100), 5);
    guest_leave(&soon.guest);
    guest_leave(&soon.guest);
    assert_int_equal(waiting_room_timeout_ms(&room, 100), 20);
    guest_leave(&late.guest);
}

static void lets_guests_leave_while_it_turns(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room);
    struct visitor visitors[3] = {visitor(), visitor(), visitor()};
    for (size_t i = 0; i < 3; i++)
        waiting_room_enter(&room, &visitors[i].guest, 0, 1000);
    visitors[1].leaves_when_looking = true;
    waiting_room_turn(&room, 20);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(visitors[i].looks, 1);
    waiting_room_expire_all(&room);
    assert_int_equal(visitors[0].expiries, 1);
    assert_int_equal(visitors[1].expiries, 0);
    assert_int_equal(visitors[2].expiries, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("asks for no turn while nobody waits", is_quiet_when_empty),
        IT("lets a guest look at growing intervals until its deadline",
           lets_a_guest_look_and_expire),
        IT("asks for a turn at once when one is overdue", is_never_late),
        IT("asks for the turn of whoever is next", knows_who_is_next),
        IT("lets guests leave while it turns", lets_guests_leave_while_it_turns),
    };
    return cmocka_run_group_tests_name("waiting_room", tests, NULL, NULL);
}
