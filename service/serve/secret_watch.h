/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Tells in the log when a secret's file holds another value, cannot be read, or can be again.
 * Whoever needs the secret reads it by itself: nothing depends on this.
 *
 * Owns:    what it told last.
 * Threads: main.
 * Blocks:  as secret_state does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/config/config.h"

enum { SECRET_WATCH_MAX = 8 };

struct secret_watch {
    const struct config *config; /* borrowed: outlives us */
    struct secret_told {
        uint64_t changes;
        bool is_unreadable;
    } told[SECRET_WATCH_MAX]; /* of the settings that are secrets, in the table's order */
};

void secret_watch_turn(struct secret_watch *watch);
int64_t secret_watch_timeout_ms(const struct secret_watch *watch); /* -1: no secret is in a file */
