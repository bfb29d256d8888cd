/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * CRC-32C (Castagnoli), the checksum of iSCSI (RFC 3720, section 12.1): finds every error burst of
 * up to 32 bits, and misses others once in four billion.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `crc` is 0, or the result for what comes before. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);
