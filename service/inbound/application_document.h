/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An application as JSON. Never its seek-token: only the fingerprint.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"
#include "lib/base/json.h"

#include "service/store/store.h"

enum { REQUEST_IDS_SHOWN_MAX = 20 };

MUST_CHECK bool application_write(struct buffer *out, const struct application *application,
                                  struct error *error);
/* Appends `,"lastError":{…}`, or nothing when there was none. */
MUST_CHECK bool application_write_last_error(struct buffer *out,
                                             const struct application *application,
                                             struct error *error);
