/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How the spool keeps an event, or the seek-token of a draft, in its journal.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#include "service/store/calls/drain.h"

/* Appends it as a record of a journal. ERROR_MEMORY or ERROR_FULL; `out` is unchanged then. */
MUST_CHECK bool spool_record_write(struct buffer *out, const struct drain_record *record,
                                   struct error *error);
/* The texts borrow from `payload`. False: it is not one that this version wrote. */
MUST_CHECK bool spool_record_read(const char *payload, size_t length, struct drain_record *out);
