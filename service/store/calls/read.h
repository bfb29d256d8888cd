/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Shows one application, and changes nothing.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/error.h"

#include "service/store/application.h"
#include "service/store/call_failure.h"

struct store;

/* `application` is NULL when there is none. */
typedef void (*store_get_done)(void *context, const struct store_failure *failure,
                               const struct application *application);
MUST_CHECK bool store_get(struct store *store, const char *application_id, store_get_done done,
                          void *context, struct error *error);
