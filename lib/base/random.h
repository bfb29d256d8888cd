/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Luck from the kernel. Domain code takes a random number as an argument instead of calling this.
 *
 * Owns: nothing. Threads: any. Blocks: only in the first moments after the machine has booted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t random_u64(void);

enum { UUID_BYTES = 37 }; /* 36 characters and the terminator */
/* RFC 9562 version 4, lower case. */
void uuid_v4(char text[UUID_BYTES]);
