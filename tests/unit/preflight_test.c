/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "service/store/preflight.h"

#include "tests/support/specification.h"

/* What a fit Redis says, but for what a case says in `changes`. */
static struct preflight_facts facts_with(const char *changes)
{
    struct preflight_facts facts = {.layout = "2", .shards = "1", .shards_wanted = "1"};
    preflight_read_info("# Replication\r\nrole:master\r\n\r\nloading:0\r\nmaxmemory:0\r\n"
                        "maxmemory_policy:noeviction\r\naof_enabled:1\r\n",
                        &facts);
    preflight_read_setting("appendfsync", "always", &facts);
    preflight_read_setting("no-appendfsync-on-rewrite", "no", &facts);
    preflight_read_info(changes, &facts);
    return facts;
}

static void reads_the_clock(void **state)
{
    (void)state;
    assert_int_equal(facts_with("").clock_us, 0);
    assert_int_equal(facts_with("server_time_usec:1795495696537708\r\n").clock_us,
                     1795495696537708);
}

static void must_find(const struct preflight_facts *facts, enum durability_level demand,
                      bool is_ready, enum durability_level durability, const char *reason)
{
    struct store_health health;
    preflight_evaluate(facts, (struct durability){.level = demand}, &health);
    if (strstr(health.reason, reason) == NULL || (reason[0] == '\0' && health.reason[0] != '\0'))
        fail_msg("the reason is \"%s\", not \"%s\"", health.reason, reason);
    assert_int_equal(health.is_ready, is_ready);
    assert_int_equal(health.durability.level, durability);
}

static void judges_what_info_says(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *info;
        enum durability_level demand;
        bool is_ready;
        enum durability_level durability;
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
        {"redis_mode:sentinel\r\n",             DURABILITY_ANY,   false, DURABILITY_FSYNC, "redis+sentinel://"},
        {"redis_mode:standalone\r\n",           DURABILITY_ANY,   true,  DURABILITY_FSYNC, ""},
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
        must_find(&facts, DURABILITY_ANY, true, DURABILITY_REDIS, cases[i].remedy);
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
    must_find(&facts, DURABILITY_ANY, true, DURABILITY_FSYNC, "maxmemory is reached");
    struct store_health health;
    preflight_evaluate(&facts, (struct durability){DURABILITY_ANY, 0}, &health);
    assert_true(health.is_refusing);
    facts.layout[0] = '\0';
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "maxmemory is reached");
}

static void survives_odd_info(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "", ":", "role", "role:", "\r\n\r\n", "x:y:z", "maxmemory:lots", "roles:slave\r\n"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct preflight_facts facts = {.layout = "2", .shards = "1", .shards_wanted = "1"};
        preflight_read_info(odd[i], &facts);
        must_find(&facts, DURABILITY_ANY, false, DURABILITY_REDIS, "role");
    }
    struct preflight_facts facts = facts_with("role:a-role-that-nobody-has-heard-of-yet");
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "replica");
}

/* A fit master; `info` adds its replicas. */
static struct preflight_facts facts_of_team(const char *info, unsigned received)
{
    struct preflight_facts facts = facts_with(info);
    facts.replicas_received = received;
    return facts;
}

#define ONLINE(number) "slave" number ":ip=10.0.0.1,port=6379,state=online,offset=1,lag=0\r\n"

static void must_find_replicas(const struct preflight_facts *facts, unsigned demand, bool is_ready,
                               const char *reason)
{
    const struct durability demanded = {DURABILITY_REPLICAS, demand};
    struct store_health health;
    preflight_evaluate(facts, demanded, &health);
    if (strstr(health.reason, reason) == NULL || (reason[0] == '\0' && health.reason[0] != '\0'))
        fail_msg("the reason is \"%s\", not \"%s\"", health.reason, reason);
    assert_int_equal(health.is_ready, is_ready);
    assert_true(!is_ready || durability_equals(health.durability, demanded));
}

static void counts_replicas(void **state)
{
    (void)state;
    static const struct {
        const char *info;
        unsigned received, demand;
        bool is_ready;
        const char *reason;
    } cases[] = {
        {"", 0, 1, false, "replicas:1 is demanded, but the number of replicas online is 0: start"},
        {ONLINE("0"), 1, 1, true, ""},
        {ONLINE("0"), 1, 2, false, "online is 1"},
        {ONLINE("0") ONLINE("1"), 2, 2, true, ""},
        {ONLINE("0") ONLINE("1"), 2, 1, true, ""},
        {ONLINE("0") ONLINE("11"), 1, 2, false, "only 1 of 2 online acknowledge in time"},
        {ONLINE("0") "slave1:ip=10.0.0.1,port=1,state=wait_bgsave,offset=0,lag=0\r\n", 1, 2, false,
         "online is 1"},
        {"slave_repl_offset:1,state=online\r\n", 0, 1, false, "online is 0"},
        {"role:slave\r\n", 0, 1, false, "Redis is a replica"},
        {ONLINE("0") "aof_enabled:0\r\n", 1, 1, false,
         "replicas:1 is demanded, but Redis keeps no"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct preflight_facts facts = facts_of_team(cases[i].info, cases[i].received);
        must_find_replicas(&facts, cases[i].demand, cases[i].is_ready, cases[i].reason);
    }
    struct preflight_facts facts = facts_of_team(ONLINE("0"), 1);
    strcpy(facts.confirmation_refusal, "the user may not WAIT");
    must_find_replicas(&facts, 1, false, "may not WAIT");
}

static void promises_no_replicas_that_nobody_waits_for(void **state)
{
    (void)state;
    struct preflight_facts facts = facts_of_team(ONLINE("0") ONLINE("1"), 2);
    must_find(&facts, DURABILITY_ANY, true, DURABILITY_FSYNC, "");
    must_find(&facts, DURABILITY_FSYNC, true, DURABILITY_FSYNC, "");
}

static void asks_for_no_more_than_is_demanded(void **state)
{
    (void)state;
    static const struct {
        const char *appendfsync;
        bool has_waitaof;
        unsigned synced; /* replicas, as preflight saw */
        struct durability demand;
        struct {
            bool is_synced;
            unsigned received, synced;
        } confirmation;
        enum durability_level given;
    } cases[] = {
        {"always", true, 2, {DURABILITY_ANY, 0}, {false, 0, 0}, DURABILITY_FSYNC},
        {"everysec", true, 2, {DURABILITY_ANY, 0}, {false, 0, 0}, DURABILITY_REDIS},
        {"always", true, 0, {DURABILITY_FSYNC, 0}, {false, 0, 0}, DURABILITY_FSYNC},
        {"everysec", true, 0, {DURABILITY_FSYNC, 0}, {true, 0, 0}, DURABILITY_FSYNC},
        {"", true, 0, {DURABILITY_FSYNC, 0}, {true, 0, 0}, DURABILITY_FSYNC},
        {"everysec", false, 0, {DURABILITY_FSYNC, 0}, {false, 0, 0}, DURABILITY_REDIS},
        {"always", false, 0, {DURABILITY_REPLICAS, 2}, {false, 2, 0}, DURABILITY_REPLICAS},
        {"always", true, 1, {DURABILITY_REPLICAS, 2}, {false, 2, 0}, DURABILITY_REPLICAS},
        {"always", true, 2, {DURABILITY_REPLICAS, 2}, {false, 2, 2}, DURABILITY_REPLICAS},
        {"everysec", true, 2, {DURABILITY_REPLICAS, 2}, {true, 2, 0}, DURABILITY_REPLICAS},
        {"everysec", false, 0, {DURABILITY_REPLICAS, 2}, {false, 2, 0}, DURABILITY_REDIS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct preflight_facts facts = facts_of_team(ONLINE("0") ONLINE("1"), 2);
        preflight_read_setting("appendfsync", cases[i].appendfsync, &facts);
        facts.has_waitaof = facts.syncs_in_time = cases[i].has_waitaof;
        facts.version_major = 8;
        facts.replicas_synced = cases[i].synced;
        struct confirmation asked = preflight_confirmation(&facts, cases[i].demand);
        assert_int_equal(asked.is_synced, cases[i].confirmation.is_synced);
        assert_int_equal(asked.received, cases[i].confirmation.received);
        assert_int_equal(asked.synced, cases[i].confirmation.synced);
        struct store_health health;
        preflight_evaluate(&facts, cases[i].demand, &health);
        assert_int_equal(health.durability.level, cases[i].given);
    }
}

/* A level that was not reached is never named. */
static void believes_no_waitaof_that_says_yes_too_early(void **state)
{
    (void)state;
    static const struct {
        const char *info, *appendfsync;
        bool syncs_in_time, is_ready;
        const char *reason;
    } cases[] = {
        {"redis_version:8.0.2\r\n", "everysec", true, true, ""},
        {"redis_version:9.1.0\r\n", "", true, true, ""},
        {"redis_version:8.0.2\r\n", "everysec", false, false, "set appendfsync always"},
        {"redis_version:8.0.2\r\n", "no", true, false, "leaves syncing its file to the system"},
        {"redis_version:8.0.2\r\n", "", false, false, "set DURABILITY=redis"},
        {"redis_version:7.4.2\r\n", "everysec", true, false, "set appendfsync always"},
        {"redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n", "everysec", true,
         false, "set appendfsync always"},
        {"redis_version:10.0.0\r\nvalkey_version:10.0.0\r\n", "", true, false,
         "set DURABILITY=redis"},
        {"redis_version:8.0.0\r\nredict_version:8.0.0\r\n", "everysec", true, false,
         "set appendfsync always"},
        {"redis_version:7.2.4\r\nvalkey_version:8.1.1\r\n", "always", true, true, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct preflight_facts facts = facts_with(cases[i].info);
        preflight_read_setting("appendfsync", cases[i].appendfsync, &facts);
        facts.has_waitaof = true;
        facts.syncs_in_time = cases[i].syncs_in_time;
        must_find(&facts, DURABILITY_FSYNC, cases[i].is_ready,
                  cases[i].is_ready ? DURABILITY_FSYNC : DURABILITY_REDIS, cases[i].reason);
        const struct confirmation asked =
            preflight_confirmation(&facts, (struct durability){.level = DURABILITY_FSYNC});
        assert_int_equal(asked.is_synced,
                         cases[i].is_ready && strcmp(cases[i].appendfsync, "always") != 0);
    }
}

static void says_what_to_do_where_settings_are_hidden(void **state)
{
    (void)state;
    struct preflight_facts facts = facts_with("maxmemory:1\r\nmaxmemory_policy:allkeys-lru\r\n");
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC, "set its maxmemory-policy");
    facts.is_config_hidden = true;
    must_find(&facts, DURABILITY_ANY, false, DURABILITY_FSYNC,
              "noeviction (of a managed Redis: in its parameters)");
    facts = facts_with("aof_enabled:0\r\n");
    facts.is_config_hidden = true;
    must_find(&facts, DURABILITY_FSYNC, false, DURABILITY_REDIS,
              "appendfsync always (of a managed Redis: in its parameters)");
}

static void looks_for_another_master(void **state)
{
    (void)state;
    const struct durability any = {DURABILITY_ANY, 0}, one = {DURABILITY_REPLICAS, 1};
    struct preflight_facts facts = facts_of_team("", 1);
    assert_false(preflight_is_elsewhere(&facts, any));
    assert_false(preflight_is_elsewhere(&facts, one));
    facts.replicas_received = 0; /* cut off from its replicas, which may have another by now */
    assert_false(preflight_is_elsewhere(&facts, any));
    assert_true(preflight_is_elsewhere(&facts, one));
    strcpy(facts.role, "slave");
    assert_true(preflight_is_elsewhere(&facts, any));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT("reads the clock of Redis", reads_the_clock),
        IT("judges what INFO says", judges_what_info_says),
        IT("promises fsync only when it is known", promises_fsync_only_when_it_is_known),
        IT("believes no WAITAOF that says yes too early",
           believes_no_waitaof_that_says_yes_too_early),
        IT("says what to do where settings are hidden", says_what_to_do_where_settings_are_hidden),
        IT("needs the data in the same number of shards", needs_the_same_number_of_shards),
        IT("hands on what Redis refuses, unless a cause is known", hands_on_a_refusal),
        IT("lets a full Redis drain that holds the queue already",
           forgives_a_full_redis_that_has_its_shards),
        IT("survives an INFO that makes no sense", survives_odd_info),
        IT("counts the replicas that are online and acknowledge", counts_replicas),
        IT("promises no replicas that nobody waits for",
           promises_no_replicas_that_nobody_waits_for),
        IT("asks for no more confirmation than is demanded", asks_for_no_more_than_is_demanded),
        IT("looks for another master than a replica, or one without replicas",
           looks_for_another_master),
    };
    return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
