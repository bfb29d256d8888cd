/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Notifications from the moment they are sent until Redis knows that the receiver has them. Each
 * look reports one to Redis. If its shard is away, it is reported again later, and others go on
 * meanwhile.
 *
 * Owns: nothing; held by value, and stays where it is. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/domain/event.h"
#include "service/store/calls/notify.h"

struct told {
    bool is_dead;                          /* else a change of sending */
    char id[APPLICATION_ID_BYTES_MAX + 1]; /* of the application, or of the change; "": nothing */
    int64_t place_ms, died_at_ms;
};

struct tellings {
    struct told sent;  /* on its way to the receiver */
    struct told told;  /* Redis does not know of it yet: nothing else is sent before */
    struct told late;  /* its shard was away when it was said */
    struct told *said; /* by the look under way; NULL: nothing */
};

/* What is sent next. */
void tellings_send(struct tellings *tellings, const struct store_notification *next);
/* The receiver has it, or is not to get it again. */
void tellings_take(struct tellings *tellings);
bool tellings_has_any(const struct tellings *tellings); /* to say */
/* A look begins, and says what it can. */
void tellings_say(struct tellings *tellings, struct store_notify_query *query);
/* It has ended; NULL: nobody answered. */
void tellings_hear(struct tellings *tellings, const struct store_notification *answer);
/* That was told already: it is said before anything of its shard is sent. */
bool tellings_knows(const struct tellings *tellings, const struct store_notification *next);
