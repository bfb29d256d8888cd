/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Random numbers from the kernel. Domain code takes a random number as an argument instead of
 * calling this.
 *
 * Owns: a few random bytes per thread. Threads: any. Blocks: only in the first moments after the
 * machine has booted.
 */
#pragma once

#include <stdint.h>

#include "lib/base/uuid.h"

uint64_t random_u64(void);

void uuid_v4(char text[UUID_BYTES]);
