/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * SHA-256 (FIPS 180-4), and HMAC with it (RFC 2104), by OpenSSL.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

enum { SHA256_BYTES = 32 };

/* ERROR_MEMORY. */
MUST_CHECK bool sha256(const void *message, size_t length, unsigned char digest[SHA256_BYTES],
                       struct error *error);

/* Of `message` under `key`, which may have any length. ERROR_MEMORY. */
MUST_CHECK bool hmac_sha256(const void *key, size_t key_length, const void *message, size_t length,
                            unsigned char mac[SHA256_BYTES], struct error *error);
