/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SHA-256 as FIPS 180-4 defines it, for fingerprints: no credential is protected by it.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

enum { SHA256_BYTES = 32 };

void sha256(const void *message, size_t length, unsigned char digest[SHA256_BYTES]);
