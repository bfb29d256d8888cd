/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A store's connection in an event loop, however often it closes and opens again.
 *
 * Owns:    the watch in the loop; loop and store are borrowed and outlive it.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_loop;
struct store;

struct store_watch {
    struct event_loop *loop;
    struct store *store;
    int fd; /* watched now; -1: none */
    unsigned wanted;
    unsigned ready;   /* what the poll found */
    uint64_t changes; /* of the connection: a new one may have the old descriptor's number */
    bool is_failing;
};

void store_watch_init(struct store_watch *watch, struct event_loop *loop, struct store *store);
/* Before each poll. Returns the longest wait until store_watch_turn; -1: none. */
int64_t store_watch_prepare(struct store_watch *watch, int64_t now_ms);
/* After each poll. */
void store_watch_turn(struct store_watch *watch, int64_t now_ms);
