/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * When the store is to be asked next for what is due, shared by all workers: one of them asks, the
 * others rest. While nothing is due it is asked once per DUE_WATCH_INTERVAL_MS, which finds what
 * other processes have put there.
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

enum { DUE_WATCH_INTERVAL_MS = 1000 };

struct due_watch {
    _Atomic int64_t ask_at_ms;
};

/* Asked for the first time at once. */
void due_watch_init(struct due_watch *watch);
/* True for the one caller that is to ask now. */
bool due_watch_take(struct due_watch *watch, int64_t now_ms);
/* Something will be due at `at_ms`. */
void due_watch_lower(struct due_watch *watch, int64_t at_ms);
/* 0: due_watch_take may succeed now. */
int64_t due_watch_wait_ms(const struct due_watch *watch, int64_t now_ms);
