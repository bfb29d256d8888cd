/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Forgets an application and its signal.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

/* `was_known`: there was something to forget. False too after a failure. */
typedef void (*store_forget_done)(void *context, const struct store_failure *failure,
                                  bool was_known);
MUST_CHECK bool store_forget(struct store *store, const char *application_id,
                             store_forget_done done, void *context, struct error *error);
