/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A command in Redis's protocol: an array of bulk strings (RESP2).
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

#include "lib/base/buffer.h"

/* `lengths` may be NULL: the arguments are texts. The buffer is unchanged on failure. */
MUST_CHECK bool redis_command_append(struct buffer *out, size_t argument_count,
                                     const char *const arguments[], const size_t lengths[],
                                     struct error *error);
