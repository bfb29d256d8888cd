/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Moves all that one Redis keeps to another one, shard by shard and batch by batch: what
 * `seek-signal move` does between its two stores. docs/decisions/move.md says why nothing is lost
 * or repeated wherever it ends.
 *
 * Owns:    what it has copied of the batches that are in transit; the stores are borrowed.
 * Threads: one, the loop's of both stores.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

#include "service/store/store.h"

struct mover;

struct mover_counts {
    int64_t entries;    /* of the source, about; 0: not known yet */
    int64_t moved;      /* applications that the target has, and the source no more */
    int64_t superseded; /* of these, what the target knew better; again, where it came twice */
    int64_t left;       /* what cannot be moved: its key, here or there, holds something else */
    int64_t held;       /* applications that are in transit */
};

enum mover_state {
    MOVER_RUNNING,
    MOVER_EMPTY,   /* nothing is left in the source but what cannot be moved */
    MOVER_STOPPED, /* as was asked: nothing is in transit */
    MOVER_FAILED,
};

/* `where`: how whoever looks at the source is told of the target; borrowed. `is_following`: it does
 * not end when the source is empty. The stores go before it: then their open calls end. */
MUST_CHECK struct mover *mover_create(struct store *from, struct store *to, const char *where,
                                      bool is_following, struct error *error);
void mover_destroy(struct mover *mover); /* accepts NULL */
DEFINE_AUTO(mover);

/* Behind each turn of the stores. */
enum mover_state mover_turn(struct mover *mover, int64_t now_ms);
/* The longest wait until the next turn. */
int64_t mover_timeout_ms(const struct mover *mover, int64_t now_ms);
/* What is in transit is brought to its end, and nothing more is begun. */
void mover_stop(struct mover *mover);

void mover_count(const struct mover *mover, struct mover_counts *out);
/* Names of applications whose keys at the target hold something else, as many as have room. */
const char *mover_blocked(const struct mover *mover, unsigned *out_count);
/* Whether no attempt is out any more at the source, where none is begun. */
bool mover_is_quiet(const struct mover *mover);
/* Whether it has stopped sending at the source, or asked for that and nobody knows. */
bool mover_has_paused(const struct mover *mover);
/* Why it has failed, or what fails for the longest time now, a sentence part; "": nothing. */
const char *mover_problem(const struct mover *mover);
/* How long that has failed, again and again; 0: nothing fails. */
int64_t mover_troubled_ms(const struct mover *mover, int64_t now_ms);
