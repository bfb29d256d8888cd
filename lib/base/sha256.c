/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/sha256.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

bool sha256(const void *message, size_t length, unsigned char digest[SHA256_BYTES],
            struct error *error)
{
    return EVP_Digest(message, length, digest, NULL, EVP_sha256(), NULL) == 1 ||
           error_out_of_memory(error);
}

bool hmac_sha256(const void *key, size_t key_length, const void *message, size_t length,
                 unsigned char mac[SHA256_BYTES], struct error *error)
{
    assert(key_length <= INT_MAX);
    return HMAC(EVP_sha256(), key, (int)key_length, message, length, mac, NULL) != NULL ||
           error_out_of_memory(error);
}
