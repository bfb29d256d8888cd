/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What Redis is asked behind an acknowledged write, on the same connection and in the same write,
 * so that the answer is as durable as DURABILITY demands; and whether its answers are enough.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/net/redis_client.h"

enum { CONFIRMATION_STEPS_MAX = 3 };

struct confirmation {  /* all zero: nothing is asked */
    bool is_synced;    /* wait until Redis has it on its disk */
    unsigned received; /* replicas that have it in memory */
    unsigned synced;   /* replicas that have it on their disks; never more than `received` */
};

enum confirmation_question { CONFIRM_MARK, CONFIRM_RECEIVED, CONFIRM_SYNCED };

struct confirmation_step {
    enum confirmation_question question;
    const char *arguments[4];
    size_t argument_count;
};

/* In their order; gives their number, 0 when nothing is asked. The texts are static. */
size_t confirmation_steps(const struct confirmation *confirmation,
                          struct confirmation_step out[CONFIRMATION_STEPS_MAX]);

/* Whether the answer is enough; if not, `shortfall` is a sentence. */
bool confirmation_is_given(const struct confirmation *confirmation,
                           enum confirmation_question question, const struct redis_reply *reply,
                           char *shortfall, size_t shortfall_bytes);

const char *confirmation_count_text(unsigned replicas); /* "3" */
