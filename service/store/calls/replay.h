/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Sends the signal of one application again.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

enum replay_outcome {
    REPLAY_SCHEDULED,
    REPLAY_UNKNOWN,
    REPLAY_DRAFT,
    REPLAY_SENDING,
    REPLAY_DELIVERED,
    REPLAY_DAMAGED /* nothing is left of it that could be sent */
};
/* `damage`: the field that somebody else has written over or taken away; "": none, or that is known
 * already, or a claim will tell. */
typedef void (*store_replay_done)(void *context, const struct store_failure *failure,
                                  enum replay_outcome outcome, const char *damage);
MUST_CHECK bool store_replay(struct store *store, const char *application_id,
                             store_replay_done done, void *context, struct error *error);
