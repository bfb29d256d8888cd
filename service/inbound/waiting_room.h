/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Those who wait for a final state, and when each looks again: when it is called, since a worker of
 * this process has recorded it, and from time to time, since another process may have.
 *
 * Owns:    the links between its waiters; the waiters are their owners'.
 * Threads: one, its loop's; is_called from any.
 * Blocks:  never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiting_room;

struct waiter {
    struct waiting_room *room;      /* borrowed: outlives us */
    struct waiter *previous, *next; /* NULL, NULL outside */
    int64_t deadline_ms;
    int64_t look_at_ms;
    unsigned looks;
    bool is_looking;        /* no further look before waiter_looked */
    _Atomic bool is_called; /* to look at once; set by any thread, which then wakes the loop */
    /* Set by the waiter's owner. */
    void (*look)(struct waiter *waiter);   /* is_looking is set */
    void (*expire)(struct waiter *waiter); /* it is out already */
};

struct waiting_room {
    size_t count, max;
    bool is_full;          /* somebody did not get in, and it has not been half empty since */
    struct waiter waiters; /* a ring; this one is nobody */
};

/* Whoever waits holds a connection and asks Redis again and again: `max` may do so at a time. */
void waiting_room_init(struct waiting_room *room, size_t max);
/* Whether one more may wait; the room is full from the first who may not. */
bool waiting_room_has_place(struct waiting_room *room);
/* There is a place. */
void waiting_room_enter(struct waiting_room *room, struct waiter *waiter, int64_t now_ms,
                        int64_t wait_ms);
void waiter_leave(struct waiter *waiter); /* accepts one that is out */
void waiter_looked(struct waiter *waiter, int64_t now_ms);
/* Lets those look or expire whose time has come. */
void waiting_room_turn(struct waiting_room *room, int64_t now_ms);
/* The longest wait before the next turn; -1: none. */
int64_t waiting_room_timeout_ms(const struct waiting_room *room, int64_t now_ms);
void waiting_room_expire_all(struct waiting_room *room);
