/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "lib/base/sha256.h"

#include "tests/support/failing_digest.h"
#include "tests/support/specification.h"

static void must_digest(const char *message, size_t length, const char *expected)
{
    unsigned char digest[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    assert_true(sha256(message, length, digest, NULL));
    for (size_t i = 0; i < SHA256_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(text, expected);
}

static void digests_the_standard_examples(void **state)
{
    (void)state;
    static const struct {
        const char *message, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        must_digest(cases[i].message, strlen(cases[i].message), cases[i].digest);
}

static void says_when_there_is_no_memory(void **state)
{
    (void)state;
    unsigned char digest[SHA256_BYTES];
    struct error error;
    failing_malloc_arm(0);
    assert_false(sha256("abc", 3, digest, &error));
    assert_true(failing_malloc_disarm());
    assert_int_equal(error.kind, ERROR_MEMORY);
}

/* RFC 4231, cases 2 and 6. */
static void authenticates_the_standard_examples(void **state)
{
    (void)state;
    char long_key[131];
    memset(long_key, 0xaa, sizeof long_key);
    const struct {
        const char *key;
        size_t key_length;
        const char *message;
        unsigned char first, last;
    } cases[] = {
        {"Jefe", 4, "what do ya want for nothing?", 0x5b, 0x43},
        {long_key, sizeof long_key, "Test Using Larger Than Block-Size Key - Hash Key First", 0x60,
         0x54},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char mac[SHA256_BYTES];
        assert_true(hmac_sha256(cases[i].key, cases[i].key_length, cases[i].message,
                                strlen(cases[i].message), mac, NULL));
        assert_int_equal(mac[0], cases[i].first);
        assert_int_equal(mac[SHA256_BYTES - 1], cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("gives the digests of NIST's examples for FIPS 180-4", digests_the_standard_examples),
        IT("gives the codes of RFC 4231's examples", authenticates_the_standard_examples),
        IT("says when there is no memory for it", says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
