/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Those who wait for a final state, and when each looks again.
 *
 * Owns:    the links between its guests; the guests are their owners'.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct guest {
    struct guest *previous, *next; /* NULL, NULL outside */
    int64_t deadline_ms;
    int64_t look_at_ms;
    unsigned looks;
    bool is_looking; /* no further look before guest_looked */
    /* Set by the guest's owner. */
    void (*look)(struct guest *guest);   /* is_looking is set */
    void (*expire)(struct guest *guest); /* it is out already */
};

struct waiting_room {
    struct guest guests; /* a ring; this one is nobody */
};

void waiting_room_init(struct waiting_room *room);
void waiting_room_enter(struct waiting_room *room, struct guest *guest, int64_t now_ms,
                        int64_t wait_ms);
void guest_leave(struct guest *guest); /* accepts one that is out */
void guest_looked(struct guest *guest, int64_t now_ms);
/* Lets those look or expire whose time has come. */
void waiting_room_turn(struct waiting_room *room, int64_t now_ms);
/* The longest wait before the next turn; -1: none. */
int64_t waiting_room_timeout_ms(const struct waiting_room *room, int64_t now_ms);
void waiting_room_expire_all(struct waiting_room *room);
