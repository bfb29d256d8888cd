/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * When the store is to be asked next for what is due, which worker asks, and who is woken for it.
 *
 * The worker that asked last owns the watch: it alone looks when something falls due, at the
 * latest each DUE_WATCH_INTERVAL_MS, which finds what other processes have put there and could not
 * send themselves; seldom while nothing at all waits in the store. So what one
 * worker can do is done by one, in few and large calls, and the others sleep. They ask all the same
 * when the watch was given back, or when their patience with the owner is over, which may stand
 * still. The worker after the owner is its deputy: it has less patience than the others, so that
 * one wakes up now and then to look after the owner, and not all of them.
 *
 * Each worker has a slot with its state and the event loop that wakes it:
 *
 *     unable ──(due_watch_rest)──► resting ─(woken, or due_watch_wake_up)─► awake
 *        ▲                          │   ▲                                   │ │
 *        └──────(due_watch_leave)───┴───┼───────────────────────────────────┘ │
 *                                       └──────────(due_watch_rest)───────────┘
 *
 * That no wake-up is lost is shown in due_watch.c.
 *
 * Owns:    the slots.
 * Threads: init, fini and join from main, while no worker runs; rest, stay_awake, wake_up and
 *          leave from the worker whose slot it is; the rest from any.
 * Blocks:  never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/net/event_loop.h"

enum {
    DUE_WATCH_INTERVAL_MS = 1000,
    DUE_WATCH_IDLE_INTERVAL_MS = 4000, /* after DUE_WATCH_IDLE_ASKS that found the queue empty */
    DUE_WATCH_IDLE_ASKS = 5,
    DUE_WATCH_NOBODY = -1
};

enum due_watch_state {
    DUE_WATCH_UNABLE,  /* no Redis, no free attempt, trouble: of no use to anybody for now */
    DUE_WATCH_AWAKE,   /* looks at what is due before it rests, without being told */
    DUE_WATCH_RESTING, /* would ask if it were woken */
};

struct due_watch_slot {
    _Atomic enum due_watch_state state;
    struct event_loop *loop; /* borrowed: outlives the worker's thread */
};

struct due_watch {
    struct due_watch_slot *slots; /* owned; one per worker, by its number */
    size_t slot_count;
    _Atomic int64_t ask_at_ms;
    _Atomic unsigned empty_asks; /* in a row, DUE_WATCH_IDLE_ASKS at most */
    _Atomic int owner;           /* a worker's number */
};

/* Asked for the first time at once, by anybody. All workers are unable. */
MUST_CHECK bool due_watch_init(struct due_watch *watch, size_t worker_count, struct error *error);
void due_watch_fini(struct due_watch *watch);
void due_watch_join(struct due_watch *watch, int worker, struct event_loop *loop);

/* --- the moment ------------------------------------------------------------------------ */

/* Something will be due at `at_ms`. True: earlier than was known. */
bool due_watch_lower(struct due_watch *watch, int64_t at_ms);
/* The same, and when it is earlier somebody looks: the caller's own worker or another. */
void due_watch_note(struct due_watch *watch, int64_t at_ms);
/* So that somebody looks at what is due: the owner if it can ask, else another worker that rests.
 */
void due_watch_wake_one(struct due_watch *watch);
/* True for the one worker that is to ask now; it owns the watch. `patience_ms`: how long it leaves
 * to the owner what is due; of no account for the owner itself. */
bool due_watch_take(struct due_watch *watch, int worker, int64_t patience_ms, int64_t now_ms);
/* 0: due_watch_take may succeed now. */
int64_t due_watch_wait_ms(const struct due_watch *watch, int worker, int64_t patience_ms,
                          int64_t now_ms);
/* Something is due, as far as is known, and nobody has asked for it yet. */
bool due_watch_is_due(const struct due_watch *watch, int64_t now_ms);
int due_watch_owner(const struct due_watch *watch); /* or DUE_WATCH_NOBODY */
/* Whether it is the first to take over from an owner that stands still. */
bool due_watch_is_deputy(const struct due_watch *watch, int worker);
/* What the last question found: whether the queue had nothing, due or not. */
void due_watch_note_found(struct due_watch *watch, bool is_empty);

/* --- the worker's state ---------------------------------------------------------------- */

/* It is going to rest, unless it finds that something is due: the caller looks after this. */
void due_watch_rest(struct due_watch *watch, int worker);
/* It looks again before it rests. */
void due_watch_stay_awake(struct due_watch *watch, int worker);
/* It is up for whatever reason, so that nobody needs to wake it. */
void due_watch_wake_up(struct due_watch *watch, int worker);
/* It cannot ask for now. If it was the owner, another worker is woken to look. */
void due_watch_leave(struct due_watch *watch, int worker);
