/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Adds what this process has done to the history in Redis (store/calls/history.h), once in
 * HISTORY_INTERVAL_MS while there is something new. Counts that Redis has not taken are added
 * later, to the bucket of that time. Counts that it may have taken are not added twice.
 *
 * Owns:    nothing; store, metrics and view are borrowed and outlive it.
 * Threads: the loop's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/store/calls/history.h"

struct metric;
struct service_view;
struct store;

enum { HISTORY_INTERVAL_MS = 10000 };

struct history_writer {
    struct store *store;
    const struct metric *metrics; /* of the intake */
    const struct service_view *view;
    struct history_counts told, asked; /* since the start; `asked`: with the call under way */
    int64_t next_at_ms;
    bool is_under_way, has_ended;
};

void history_writer_init(struct history_writer *writer, struct store *store,
                         const struct metric *metrics, const struct service_view *view);
/* In each turn of the loop. It asks for no turn of its own: a loop that rests has one now and then.
 */
void history_writer_turn(struct history_writer *writer, int64_t now_ms);
/* The loop is to end: adds what is left, once. True: Redis has not answered yet. */
bool history_writer_is_ending(struct history_writer *writer, int64_t now_ms);
