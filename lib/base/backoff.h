/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The pause before the next attempt of what has failed.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

/* Drawn between `min_ms` and what `failures` doublings make of it, `max_ms` at most: jitter over
 * the whole range, so that many clients do not come back in step. Never below `min_ms`, which is
 * above 0. */
int64_t backoff_ms(unsigned min_ms, unsigned max_ms, unsigned failures);
