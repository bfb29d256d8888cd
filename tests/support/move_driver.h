/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Two real Redis, and the calls of a mover between them, for the tests of `seek-signal move`.
 *
 * Owns:    both Redis, their stores, and copies of what was answered last.
 * Threads: one at a time.
 * Blocks:  until the answer, as store_driver.h does.
 */
#pragma once

#include "service/store/calls/move.h"

#include "tests/support/store_driver.h"

enum { MOVE_BATCH_MAX = 4, MOVE_TEXTS_MAX = 65536, MOVE_ITEMS_MAX = 16 };

extern struct redis_server *move_from_server, *move_to_server;
extern struct driver move_from, move_to;
extern const char *const move_from_id, *const move_to_id;

extern struct move_shown { /* what the source has answered last, kept */
    struct move_out_result result;
    char since[32];
    struct move_item items[MOVE_ITEMS_MAX];
    char texts[MOVE_TEXTS_MAX];
    size_t length;
} move_shown;
extern struct move_in_result move_taken; /* what the target has */

/* Of the group, and of each test. */
int move_begin(void **state);
int move_finish(void **state);
int move_start(void **state);
int move_stop(void **state);

/* How many are held now. */
size_t move_ask(const char *done, const char *place);
size_t move_ask_so(const struct move_out_query *query);
void move_give_up(void);
/* What was shown, to the target. */
void move_give(void);
void move_give_and_see(void);
void move_give_and_get(enum move_outcome outcome);
/* One walk after the other, until one finds nothing. */
void move_all(void);

const char *move_token_at_target(void); /* of A-1 */
