/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The private Redis's child in main's loop: its end is seen at once.
 *
 * Owns: nothing. Threads: main. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

struct embedded_redis;
struct event_loop;

struct child_watch {
    struct embedded_redis *redis; /* borrowed; NULL: none, and nothing is done */
    struct event_loop *loop;      /* borrowed */
    int fd;                       /* watched now; -1: none */
};

/* Before each poll. */
MUST_CHECK bool child_watch_prepare(struct child_watch *watch, struct error *error);
int64_t child_watch_timeout_ms(const struct child_watch *watch, int64_t now_ms); /* -1: no limit */
void child_watch_turn(struct child_watch *watch); /* after each poll */
