/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Each turn walks the whole ring: guests are at most as many as connections, and a list ordered by
 * time would have to be reordered with each look.
 */
#include "service/inbound/waiting_room.h"

#include <assert.h>
#include <stddef.h>

#include "service/inbound/wait.h"

void waiting_room_init(struct waiting_room *room)
{
    room->guests.previous = room->guests.next = &room->guests;
}

void waiting_room_enter(struct waiting_room *room, struct guest *guest, int64_t now_ms,
                        int64_t wait_ms)
{
    assert(guest->next == NULL);
    guest->deadline_ms = now_ms + wait_ms;
    guest->looks = 0;
    guest->is_looking = false;
    guest->look_at_ms = now_ms + wait_pause_ms(0);
    guest->previous = room->guests.previous;
    guest->next = &room->guests;
    guest->previous->next = guest;
    room->guests.previous = guest;
}

void guest_leave(struct guest *guest)
{
    if (guest->next == NULL)
        return;
    guest->previous->next = guest->next;
    guest->next->previous = guest->previous;
    guest->previous = guest->next = NULL;
}

void guest_looked(struct guest *guest, int64_t now_ms)
{
    guest->is_looking = false;
    guest->look_at_ms = now_ms + wait_pause_ms(++guest->looks);
}

static int64_t next_step_ms(const struct guest *guest)
{
    if (guest->is_looking || guest->deadline_ms < guest->look_at_ms)
        return guest->deadline_ms;
    return guest->look_at_ms;
}

void waiting_room_turn(struct waiting_room *room, int64_t now_ms)
{
    struct guest *next;
    for (struct guest *guest = room->guests.next; guest != &room->guests; guest = next) {
        next = guest->next;
        if (now_ms >= guest->deadline_ms) {
            guest_leave(guest);
            guest->expire(guest);
        } else if (!guest->is_looking && now_ms >= guest->look_at_ms) {
            guest->is_looking = true;
            guest->look(guest);
        }
    }
}

int64_t waiting_room_timeout_ms(const struct waiting_room *room, int64_t now_ms)
{
    int64_t soonest_ms = -1;
    for (const struct guest *guest = room->guests.next; guest != &room->guests;
         guest = guest->next) {
        int64_t left_ms = next_step_ms(guest) - now_ms;
        if (left_ms < 0)
            left_ms = 0;
        if (soonest_ms < 0 || left_ms < soonest_ms)
            soonest_ms = left_ms;
    }
    return soonest_ms;
}

void waiting_room_expire_all(struct waiting_room *room)
{
    while (room->guests.next != &room->guests) {
        struct guest *guest = room->guests.next;
        guest_leave(guest);
        guest->expire(guest);
    }
}
