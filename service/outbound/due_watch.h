/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * When the store is to be asked next for what is due, shared by all workers, and which of them
 * asks.
 *
 * The worker that asked last keeps the watch: it alone looks when something falls due, at the
 * latest each DUE_WATCH_INTERVAL_MS, which finds what other processes have put there. So what one
 * worker can do is done by one, in few and large calls, and the others sleep. They ask all the same
 * when the watch was given back, or when their patience with the keeper is over, which may stand
 * still.
 *
 * The moment is raised only by due_watch_take, before the store is asked; everybody else only
 * lowers it. So what becomes due after the question was put leads to another question: nothing is
 * slept through.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { DUE_WATCH_INTERVAL_MS = 1000, DUE_WATCH_NOBODY = -1 };

struct due_watch {
    _Atomic int64_t ask_at_ms;
    _Atomic int keeper; /* a worker's number */
};

/* Asked for the first time at once, by anybody. */
void due_watch_init(struct due_watch *watch);
/* Something will be due at `at_ms`. True: earlier than was known. */
bool due_watch_lower(struct due_watch *watch, int64_t at_ms);
/* True for the one worker that is to ask now; it keeps the watch. `patience_ms`: how long it leaves
 * to the keeper what is due; of no account for the keeper itself. */
bool due_watch_take(struct due_watch *watch, int worker, int64_t patience_ms, int64_t now_ms);
/* 0: due_watch_take may succeed now. */
int64_t due_watch_wait_ms(const struct due_watch *watch, int worker, int64_t patience_ms,
                          int64_t now_ms);
/* The worker cannot ask for now. True: it was the keeper, and somebody else has to look. */
bool due_watch_give_back(struct due_watch *watch, int worker);
int due_watch_keeper(const struct due_watch *watch); /* or DUE_WATCH_NOBODY */
