/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The questions to Redis that follow acknowledged writes, on the same connection, so that these are
 * as durable as DURABILITY demands; and whether its answers are enough.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/net/redis_client.h"

enum { CONFIRMATION_STEPS_MAX = 2 };

/* How long the mark is kept from its last write on. */
#define CONFIRMATION_MARK_LIFE_MS "86400000"
/* How long its disk may take: a Redis that syncs once a second needs that long, and what its disk
 * takes. Together with WAIT's below the connection's time-out for an answer. */
#define CONFIRMATION_SYNC_MS "1500"

struct confirmation {  /* all zero: nothing is asked */
    bool is_synced;    /* wait until Redis has it on its disk */
    unsigned received; /* replicas that have it in memory */
    unsigned synced;   /* replicas that have it on their disks; never more than `received` */
};

enum confirmation_question { CONFIRM_RECEIVED, CONFIRM_SYNCED };

struct confirmation_step {
    enum confirmation_question question;
    const char *arguments[4];
    size_t argument_count;
};

bool confirmation_is_needed(const struct confirmation *confirmation);
/* Asks for as much as the other, too. */
void confirmation_raise(struct confirmation *confirmation, const struct confirmation *other);

/* Whether the mark, which is written in front, was there; if not, `reason` is a sentence. */
bool confirmation_is_marked(const char *mark, const struct redis_reply *reply, char *reason,
                            size_t reason_bytes);

/* In their order; gives their number, 0 when nothing is asked. The texts are static. */
size_t confirmation_steps(const struct confirmation *confirmation,
                          struct confirmation_step out[CONFIRMATION_STEPS_MAX]);

/* Whether the answer is enough; if not, `reason` is a sentence. */
bool confirmation_is_given(const struct confirmation *confirmation,
                           enum confirmation_question question, const struct redis_reply *reply,
                           char *reason, size_t reason_bytes);

const char *confirmation_count_text(unsigned replicas); /* "3" */
