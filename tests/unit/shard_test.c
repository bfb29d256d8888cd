/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/store/shard.h"

#include "tests/support/specification.h"

#define LONGEST "0123456789abcdef0123456789ABCDEF0123456789-_.:xx0123456789abcdef"

/* Each shard of a Redis Cluster is to be in one slot, and no name may change: what another version
 * wrote lies under it. */
static void names_its_keys(void **state)
{
    (void)state;
    static const char *const names[SHARD_KEY_COUNT] = {
        "app:",       "due",        "dead",        "paused",     "mark",         "claim:",
        "layout",     "shards",     "environment", "notify",     "history",      "move",
        "trial:",     "trial:app:", "trial:due",   "trial:dead", "trial:paused", "trial:app:trial",
        "trial:claim"};
    static const struct {
        const char *all;
        unsigned number;
        const char *prefix;
    } cases[] = {{"seek-signal", 0, "seek-signal:{0}:"},
                 {"seek-signal", 63, "seek-signal:{63}:"},
                 {"seek-signal", 4294967295, "seek-signal:{4294967295}:"},
                 {"staging", 0, "staging:{0}:"},
                 {LONGEST, 4294967295, LONGEST ":{4294967295}:"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct shard shard;
        shard_init(&shard, cases[i].all, cases[i].number);
        for (size_t key = 0; key < SHARD_KEY_COUNT; key++) {
            size_t length = strlen(cases[i].prefix);
            assert_memory_equal(shard.keys[key], cases[i].prefix, length);
            assert_string_equal(shard.keys[key] + length, names[key]);
        }
    }
}

static void names_each_claimer_otherwise(void **state)
{
    (void)state;
    struct shard one, other;
    shard_init(&one, "seek-signal", 0);
    shard_init(&other, "seek-signal", 0);
    size_t length = strlen(one.keys[SHARD_CLAIM]);
    assert_memory_equal(one.claims.key, one.keys[SHARD_CLAIM], length);
    assert_int_equal(strlen(one.claims.key), length + UUID_BYTES - 1);
    assert_string_not_equal(one.claims.key, other.claims.key);
}

/* Every process has to find what another one has put there: the numbers are the contract. */
static void finds_the_shard_of_an_id(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        unsigned of_3, of_64;
    } cases[] = {{"A-1001", 0, 3}, {"A-1002", 1, 55}, {"", 0, 0}, {"\xc3\xbc", 2, 47}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(shard_of(cases[i].id, 1), 0);
        assert_int_equal(shard_of(cases[i].id, 3), cases[i].of_3);
        assert_int_equal(shard_of(cases[i].id, 64), cases[i].of_64);
    }
}

/* Versions before the layout had a number knew one prefix: what is under another is not theirs. */
static void knows_where_old_versions_kept_the_count(void **state)
{
    (void)state;
    struct shard one, other;
    shard_init(&one, "seek-signal", 0);
    shard_init(&other, "staging", 0);
    assert_string_equal(one.old_count_key, "seek-signal:shards");
    assert_string_equal(other.old_count_key, "");
}

static void refuses_prefixes_that_would_mislead(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   LONGEST "x", "a{1}", "{",   "a}", "a b",
                                      "a*", "a?",        "[a]",  "a\\", "ü",  "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(shard_prefix_mistake(bad[i]));
    static const char *const good[] = {"a", "seek-signal", "team:seek_signal.2", LONGEST};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(shard_prefix_mistake(good[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("finds the shard of an application by its id", finds_the_shard_of_an_id),
        IT("names its keys under one prefix and hash tag", names_its_keys),
        IT("knows where old versions kept the number of shards",
           knows_where_old_versions_kept_the_count),
        IT("refuses prefixes that would mislead Redis or an ACL",
           refuses_prefixes_that_would_mislead),
        IT("names each claimer otherwise", names_each_claimer_otherwise),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
