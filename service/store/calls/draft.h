/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Keeps the seek-token of an application whose event is still to come.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"
#include "service/store/calls/accept.h"

struct store;

/* Keeps the draft's seek-token. An application already pending, sending or dead owes its signal
 * with the new seek-token; a delivered one becomes a draft again. The same seek-token changes
 * nothing. `item` without a completion. */
MUST_CHECK bool store_put_token(struct store *store, const struct accept_item *item,
                                store_done done, void *context, struct error *error);
