/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/store/preflight.h"

#include "tests/support/specification.h"

/* What a fit Redis says, but for what a case says in `changes`. */
static struct preflight_facts facts_with(const char *changes)
{
    struct preflight_facts facts = {.shards = "1"};
    preflight_read_info("# Replication\r\nrole:master\r\n\r\nloading:0\r\nmaxmemory:0\r\n"
                        "maxmemory_policy:noeviction\r\naof_enabled:1\r\n",
                        &facts);
    preflight_read_setting("appendfsync", "always", &facts);
    preflight_read_setting("no-appendfsync-on-rewrite", "no", &facts);
    preflight_read_info(changes, &facts);
    return facts;
}

static void must_find(const struct preflight_facts *facts, enum durability demand, bool is_ready,
                      enum durability durability, const char *reason)
{
    struct store_health health;
    preflight_evaluate(facts, demand, &health);
    if (strstr(health.reason, reason) == NULL || (reason[0] == '\0' && health.reason[0] != '\0'))
        fail_msg("the reason is \"%s\", not \"%s\"", health.reason, reason);
    assert_int_equal(health.is_ready, is_ready);
    assert_int_equal(health.durability, durability);
}

static void judges_what_info_says(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *info;
        enum durability demand;
        bool is_ready;
        enum durability durability;
        const char *reason;
    } cases[] = {
        {"",                                      DURABILITY_ANY,   true,  DURABILITY_FSYNC, ""},
        {"",                                      DURABILITY_REDIS, true,  DURABILITY_FSYNC, ""},
        {"",                                      DURABILITY_FSYNC, true,  DURABILITY_FSYNC, ""},
        {"aof_enabled:0\r\n",                     DURABILITY_ANY,   true,  DURABILITY_REDIS, "no append-only file"},
        {"aof_enabled:0\r\n",                     DURABILITY_REDIS, true,  DURABILITY_REDIS, "no append-only file"},
        {"aof_enabled:0\r\n",                     DURABILITY_FSYNC, false, DURABILITY_REDIS, "set appendonly yes"},
        {"loading:1\r\n",                         DURABILITY_ANY,   false, DURABILITY_FSYNC, "loading"},
        {"role:slave\r\n",                        DURABILITY_ANY,   false, DURABILITY_FSYNC, "replica"},
        {"role:slave\r\nloading:1\r\n",           DURABILITY_ANY,   false, DURABILITY_FSYNC, "loading"},
        {"role:\r\n",                             DURABILITY_ANY,   false, DURABILITY_FSYNC, "role"},
        {"maxmemory:100\r\n",                     DURABILITY_ANY,   true,  DURABILITY_FSYNC, ""},
        {"maxmemory_policy:allkeys-lru\r\n",      DURABILITY_ANY,   true,  DURABILITY_FSYNC, ""},
        {"maxmemory:9000000000\r\nmaxmemory_policy:allkeys-lru\r\n",
                                                  DURABILITY_ANY,   false, DURABILITY_FSYNC, "noeviction"},
        {"maxmemory:100\r\nmaxmemory_policy:volatile-ttl\r\n",
                                                  DURABILITY_ANY,   false, DURABILITY_FSYNC, "noeviction"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct preflight_facts facts = facts_with(cases[i].info);
        must_find(&facts, cases[i].demand, cases[i].is_ready, cases[i].durability, cases[i].reason);
    }
}

static void promises_fsync_only_when_it_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *appendfsync, *no_fsync_on_rewrite, *remedy;
    } cases[] = {
        {"everysec", "no", "set appendfsync always"},
        {"no", "no", "set appendfsync always"},
        {"", "", "allow CONFIG GET"},
        {"always", "yes", "set no-appendfsync-on-rewrite no"},
        {"always", "", "set no-appendfsync-on-rewrite no"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct preflight_facts facts = facts_with("");
        preflight_read_setting("appendfsync", cases[i].appendfsync, &facts);
        preflight_read_setting("no-appendfsync-on-rewrite", cases[i].no_fsync_on_rewrite, &facts);
        preflight_read_setting("maxclients", "1", &facts);
        must_find(&facts, DURABILITY_REDIS, true, DURABILITY_REDIS, "");
        must_find(&facts, DURABILITY_FSYNC, false, DURABILITY_REDIS, cases[i].remedy);
    }
}

static void needs_the_same_number_of_shards(void **state)
{
    (void)state;
    struct preflight_facts facts = facts_with("");
    strcpy(facts.shards, "64");
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "shards");
    facts.shards[0] = '\0';
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "shards");
}

static void hands_on_a_refusal(void **state)
{
    (void)state;
    struct preflight_facts facts = facts_with("");
    strcpy(facts.refusal, "the user may not");
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "the user may not");
    strcpy(facts.role, "slave");
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "replica");
}

static void forgives_a_full_redis_that_has_its_shards(void **state)
{
    (void)state;
    struct preflight_facts facts = facts_with("");
    strcpy(facts.write_refusal, "maxmemory is reached");
    must_find(&facts, DURABILITY_ANY, true, DURABILITY_FSYNC, "");
    facts.shards[0] = '\0';
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "maxmemory is reached");
}

static void survives_odd_info(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "", ":", "role", "role:", "\r\n\r\n", "x:y:z", "maxmemory:lots", "roles:slave\r\n"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct preflight_facts facts = {.shards = "1"};
        preflight_read_info(odd[i], &facts);
        must_find(&facts, DURABILITY_ANY, false, DURABILITY_REDIS, "role");
    }
    struct preflight_facts facts = facts_with("role:a-role-that-nobody-has-heard-of-yet");
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "replica");
}

static void names_durabilities(void **state)
{
    (void)state;
    static const char *const names[] = {"any", "redis", "fsync"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum durability durability;
        assert_true(durability_parse(names[i], &durability));
        assert_int_equal(durability, i);
        assert_string_equal(durability_name(durability), names[i]);
    }
    enum durability durability = DURABILITY_FSYNC;
    assert_false(durability_parse("Redis", &durability));
    assert_int_equal(durability, DURABILITY_FSYNC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("judges what INFO says", judges_what_info_says),
        IT("promises fsync only when it is known", promises_fsync_only_when_it_is_known),
        IT("needs the data in the same number of shards", needs_the_same_number_of_shards),
        IT("hands on what Redis refuses, unless a cause is known", hands_on_a_refusal),
        IT("lets a full Redis drain that holds the queue already",
           forgives_a_full_redis_that_has_its_shards),
        IT("survives an INFO that makes no sense", survives_odd_info),
        IT("names durabilities and knows them again", names_durabilities),
    };
    return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
