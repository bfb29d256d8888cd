/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Pauses sending, and resumes it.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

/* For everybody on this Redis, until somebody resumes; STORE_OK: all shards know it. Pausing twice
 * keeps the first moment. */
MUST_CHECK bool store_set_paused(struct store *store, bool is_paused, store_done done,
                                 void *context, struct error *error);
/* Pauses what can be reached; STORE_OK: at least one shard knows it. Asked again for the others, it
 * would undo each resume while one is away. */
MUST_CHECK bool store_brake(struct store *store, store_done done, void *context,
                            struct error *error);
