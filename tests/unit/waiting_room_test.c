/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/inbound/waiting_room.h"

#include "tests/support/specification.h"

struct visitor {
    struct waiter waiter; /* first: found by a cast */
    unsigned looks, expiries;
    bool leaves_when_looking;
};

static void look(struct waiter *waiter)
{
    struct visitor *visitor = (struct visitor *)(void *)waiter;
    visitor->looks++;
    if (visitor->leaves_when_looking)
        waiter_leave(waiter);
}

static void expire(struct waiter *waiter)
{
    assert_null(waiter->next);
    ((struct visitor *)(void *)waiter)->expiries++;
}

static struct visitor visitor(void)
{
    return (struct visitor){.waiter = {.look = look, .expire = expire}};
}

static void is_quiet_when_empty(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room, 10);
    assert_int_equal(waiting_room_timeout_ms(&room, 5), -1);
    waiting_room_turn(&room, 5);
    waiting_room_expire_all(&room);
}

static void lets_a_waiter_look_and_expire(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room, 10);
    struct visitor one = visitor();
    waiting_room_enter(&room, &one.waiter, 1000, 100);
    assert_int_equal(waiting_room_timeout_ms(&room, 1000), 20);
    waiting_room_turn(&room, 1019);
    assert_int_equal(one.looks, 0);
    waiting_room_turn(&room, 1020);
    assert_int_equal(one.looks, 1);
    /* No second look while the first is on its way: then only the deadline counts. */
    waiting_room_turn(&room, 1090);
    assert_int_equal(one.looks, 1);
    assert_int_equal(waiting_room_timeout_ms(&room, 1090), 10);
    waiter_looked(&one.waiter, 1030);
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
    waiting_room_init(&room, 10);
    struct visitor one = visitor();
    waiting_room_enter(&room, &one.waiter, 0, 50);
    assert_int_equal(waiting_room_timeout_ms(&room, 9999), 0);
    waiter_leave(&one.waiter);
}

static void knows_who_is_next(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room, 10);
    struct visitor late = visitor(), soon = visitor();
    waiting_room_enter(&room, &late.waiter, 100, 30000);
    waiting_room_enter(&room, &soon.waiter, 100, 5);
    assert_int_equal(waiting_room_timeout_ms(&room, 100), 5);
    waiter_leave(&soon.waiter);
    waiter_leave(&soon.waiter);
    assert_int_equal(waiting_room_timeout_ms(&room, 100), 20);
    waiter_leave(&late.waiter);
}

static void lets_waiters_leave_while_it_turns(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room, 10);
    struct visitor visitors[3] = {visitor(), visitor(), visitor()};
    for (size_t i = 0; i < 3; i++)
        waiting_room_enter(&room, &visitors[i].waiter, 0, 1000);
    visitors[1].leaves_when_looking = true;
    waiting_room_turn(&room, 20);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(visitors[i].looks, 1);
    waiting_room_expire_all(&room);
    assert_int_equal(visitors[0].expiries, 1);
    assert_int_equal(visitors[1].expiries, 0);
    assert_int_equal(visitors[2].expiries, 1);
}

/* By a worker, in its thread: the loop is woken, and asks for its turn. */
static void looks_when_it_is_called(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room, 10);
    struct visitor one = visitor();
    atomic_store(&one.waiter.is_called, true); /* before it came in */
    waiting_room_enter(&room, &one.waiter, 1000, 500);
    assert_int_equal(waiting_room_timeout_ms(&room, 1000), 0);
    waiting_room_turn(&room, 1000);
    assert_int_equal(one.looks, 1);
    /* That look may have come too early for this call. */
    atomic_store(&one.waiter.is_called, true);
    waiting_room_turn(&room, 1001);
    assert_int_equal(one.looks, 1);
    waiter_looked(&one.waiter, 1001);
    waiting_room_turn(&room, 1001);
    assert_int_equal(one.looks, 2);
    waiter_looked(&one.waiter, 1002);
    assert_int_equal(waiting_room_timeout_ms(&room, 1002), 80);
    waiter_leave(&one.waiter);
}

static void has_so_many_places(void **state)
{
    (void)state;
    struct waiting_room room;
    waiting_room_init(&room, 2);
    struct visitor visitors[] = {visitor(), visitor()};
    for (int i = 0; i < 2; i++) {
        assert_true(waiting_room_has_place(&room));
        waiting_room_enter(&room, &visitors[i].waiter, 1000, 100);
        assert_false(room.is_full); /* nobody was refused */
    }
    assert_false(waiting_room_has_place(&room));
    assert_true(room.is_full);
    waiter_leave(&visitors[0].waiter);
    waiter_leave(&visitors[0].waiter);
    assert_true(waiting_room_has_place(&room));
    assert_false(room.is_full);
    waiting_room_expire_all(&room);
    assert_int_equal(room.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("asks for no turn while nobody waits", is_quiet_when_empty),
        IT("has so many places and tells when there is none", has_so_many_places),
        IT("lets a waiter look at growing intervals until its deadline",
           lets_a_waiter_look_and_expire),
        IT("looks at once when it is called, and again when it was called while it looked",
           looks_when_it_is_called),
        IT("asks for a turn at once when one is overdue", is_never_late),
        IT("asks for the turn of whoever is next", knows_who_is_next),
        IT("lets waiters leave while it turns", lets_waiters_leave_while_it_turns),
    };
    return cmocka_run_group_tests_name("waiting_room", tests, NULL, NULL);
}
