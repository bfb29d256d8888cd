/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Digests fail as allocations do: for tests that are linked with
 * can_fail_allocations(target EVP_Digest), included once.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <openssl/evp.h>

#include "tests/support/failing_malloc.h"

int __real_EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned int *size,
                      const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned int *size,
                      const EVP_MD *type, ENGINE *engine);

int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *digest, unsigned int *size,
                      const EVP_MD *type, ENGINE *engine)
{
    return failing_malloc_strikes() ? 0
                                    : __real_EVP_Digest(data, count, digest, size, type, engine);
}
