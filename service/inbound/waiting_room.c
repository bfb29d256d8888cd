/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Each turn walks the whole ring: waiters are at most as many as connections, and a list ordered by
 * time would have to be reordered with each look.
 */
#include "service/inbound/waiting_room.h"

#include <assert.h>
#include <stddef.h>

#include "service/inbound/wait.h"

void waiting_room_init(struct waiting_room *room, size_t max)
{
    assert(max > 0);
    room->count = 0;
    room->max = max;
    room->is_full = false;
    room->waiters.previous = room->waiters.next = &room->waiters;
}

bool waiting_room_has_place(struct waiting_room *room)
{
    room->is_full = room->is_full || room->count >= room->max;
    return room->count < room->max;
}

/* A ring that counts who is in it. */
static bool is_sound(const struct waiting_room *room)
{
    bool is_empty = room->waiters.next == &room->waiters;
    return room->count <= room->max && is_empty == (room->count == 0) &&
           is_empty == (room->waiters.previous == &room->waiters);
}

void waiting_room_enter(struct waiting_room *room, struct waiter *waiter, int64_t now_ms,
                        int64_t wait_ms)
{
    assert(waiter->next == NULL);
    assert(room->count < room->max);
    room->count++;
    waiter->room = room;
    waiter->deadline_ms = now_ms + wait_ms;
    waiter->looks = 0;
    waiter->is_looking = false;
    waiter->look_at_ms = now_ms + wait_pause_ms(0);
    waiter->previous = room->waiters.previous;
    waiter->next = &room->waiters;
    waiter->previous->next = waiter;
    room->waiters.previous = waiter;
    assert(is_sound(room));
}

void waiter_leave(struct waiter *waiter)
{
    if (waiter->next == NULL)
        return;
    waiter->previous->next = waiter->next;
    waiter->next->previous = waiter->previous;
    waiter->previous = waiter->next = NULL;
    struct waiting_room *room = waiter->room;
    assert(room->count > 0);
    room->count--;
    if (room->count <= room->max / 2)
        room->is_full = false;
    assert(is_sound(room));
}

void waiter_looked(struct waiter *waiter, int64_t now_ms)
{
    assert(waiter->is_looking);
    waiter->is_looking = false;
    waiter->look_at_ms = now_ms + wait_pause_ms(++waiter->looks);
}

static bool is_time_to_look(struct waiter *waiter, int64_t now_ms)
{
    return !waiter->is_looking &&
           (atomic_exchange(&waiter->is_called, false) || now_ms >= waiter->look_at_ms);
}

static int64_t next_step_ms(const struct waiter *waiter)
{
    if (!waiter->is_looking && atomic_load(&waiter->is_called))
        return 0;
    if (waiter->is_looking || waiter->deadline_ms < waiter->look_at_ms)
        return waiter->deadline_ms;
    return waiter->look_at_ms;
}

void waiting_room_turn(struct waiting_room *room, int64_t now_ms)
{
    assert(is_sound(room));
    struct waiter *next;
    for (struct waiter *waiter = room->waiters.next; waiter != &room->waiters; waiter = next) {
        next = waiter->next;
        assert(waiter->room == room);
        if (now_ms >= waiter->deadline_ms) {
            waiter_leave(waiter);
            waiter->expire(waiter);
        } else if (is_time_to_look(waiter, now_ms)) {
            waiter->is_looking = true;
            waiter->look(waiter);
        }
    }
}

int64_t waiting_room_timeout_ms(const struct waiting_room *room, int64_t now_ms)
{
    int64_t soonest_ms = -1;
    for (const struct waiter *waiter = room->waiters.next; waiter != &room->waiters;
         waiter = waiter->next) {
        int64_t left_ms = next_step_ms(waiter) - now_ms;
        if (left_ms < 0)
            left_ms = 0;
        if (soonest_ms < 0 || left_ms < soonest_ms)
            soonest_ms = left_ms;
    }
    return soonest_ms;
}

void waiting_room_expire_all(struct waiting_room *room)
{
    while (room->waiters.next != &room->waiters) {
        struct waiter *waiter = room->waiters.next;
        waiter_leave(waiter);
        waiter->expire(waiter);
    }
    assert(room->count == 0);
}
