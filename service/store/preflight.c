/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/preflight.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"

#include "service/store/shard.h"

/* --- reading --- */

static void copy_text(char *out, size_t out_bytes, const char *value, size_t length)
{
    (void)snprintf(out, out_bytes, "%.*s", (int)length, value);
}

/* "slave0", whose value is "ip=…,port=…,state=online,offset=…,lag=…". */
static bool is_replica_line(const char *name, size_t length)
{
    static const char prefix[] = "slave";
    const size_t prefix_length = sizeof prefix - 1;
    return length > prefix_length && memcmp(name, prefix, prefix_length) == 0 &&
           ascii_is_digit(name[prefix_length]);
}

static bool is_online(const char *value, size_t length)
{
    static const char online[] = "state=online";
    return memmem(value, length, online, sizeof online - 1) != NULL;
}

static bool is_of_a_fork(const char *name, size_t length)
{
    static const char *const names[] = {"valkey_version", "redict_version", "keydb_version",
                                        "dragonfly_version"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return true;
    }
    return false;
}

#define IS(name) (name_length == sizeof(name) - 1 && memcmp(line, name, name_length) == 0)

static void read_line_of_data(const char *line, size_t name_length, const char *value,
                              size_t value_length, struct preflight_facts *facts)
{
    if (IS("maxmemory"))
        facts->maxmemory = strtoull(value, NULL, 10);
    else if (IS("maxmemory_policy"))
        copy_text(facts->eviction, sizeof facts->eviction, value, value_length);
    else if (IS("aof_enabled"))
        facts->has_append_only_file = *value == '1';
    else if (is_replica_line(line, name_length) && is_online(value, value_length))
        facts->replicas_online++;
}

/* One line of INFO, "name:value". */
static void read_line(const char *line, size_t length, struct preflight_facts *facts)
{
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return;
    size_t name_length = (size_t)(colon - line);
    const char *value = colon + 1;
    size_t value_length = length - name_length - 1;
    if (IS("role"))
        copy_text(facts->role, sizeof facts->role, value, value_length);
    else if (IS("loading"))
        facts->is_loading = *value != '0';
    else if (IS("cluster_enabled"))
        facts->is_cluster = *value == '1';
    else if (IS("redis_mode"))
        facts->is_sentinel = strncmp(value, "sentinel", sizeof "sentinel" - 1) == 0;
    else if (IS("redis_version"))
        facts->version_major = (unsigned)strtoul(value, NULL, 10);
    else if (is_of_a_fork(line, name_length))
        facts->is_fork = true;
    else if (IS("server_time_usec"))
        facts->clock_us = strtoll(value, NULL, 10);
    else
        read_line_of_data(line, name_length, value, value_length, facts);
}
#undef IS

void preflight_read_info(const char *info, struct preflight_facts *facts)
{
    while (*info != '\0') {
        size_t length = strcspn(info, "\r\n");
        read_line(info, length, facts);
        info += length + strspn(info + length, "\r\n");
    }
}

void preflight_read_setting(const char *name, const char *value, struct preflight_facts *facts)
{
    if (strcmp(name, "appendfsync") == 0)
        (void)snprintf(facts->appendfsync, sizeof facts->appendfsync, "%s", value);
    else if (strcmp(name, "no-appendfsync-on-rewrite") == 0)
        (void)snprintf(facts->no_fsync_on_rewrite, sizeof facts->no_fsync_on_rewrite, "%s", value);
}

/* --- judging --- */

static bool is_loading(const struct preflight_facts *facts)
{
    return facts->is_loading;
}

static bool is_replica(const struct preflight_facts *facts)
{
    return facts->role[0] != '\0' && strcmp(facts->role, "master") != 0;
}

static bool is_unwanted_cluster(const struct preflight_facts *facts)
{
    return facts->is_cluster && !facts->is_cluster_wanted;
}

static bool is_sentinel(const struct preflight_facts *facts)
{
    return facts->is_sentinel;
}

static bool is_refused(const struct preflight_facts *facts)
{
    return facts->refusal[0] != '\0';
}

static bool is_silent(const struct preflight_facts *facts)
{
    return facts->role[0] == '\0';
}

/* The policies named volatile-… too: they would evict drafts, whose seek-token nobody has a second
 * time. */
static bool is_evicting(const struct preflight_facts *facts)
{
    return facts->maxmemory > 0 && strcmp(facts->eviction, "noeviction") != 0;
}

static bool is_unwritable(const struct preflight_facts *facts)
{
    return facts->layout[0] == '\0' && facts->write_refusal[0] != '\0';
}

static bool is_of_another_layout(const struct preflight_facts *facts)
{
    return facts->layout[0] != '\0' && strcmp(facts->layout, SHARD_LAYOUT_NUMBER) != 0;
}

static bool is_spread_otherwise(const struct preflight_facts *facts)
{
    return strcmp(facts->shards, facts->shards_wanted) != 0;
}

static bool is_of_another_environment(const struct preflight_facts *facts)
{
    return facts->environment_key != NULL;
}

bool preflight_knows_layout(const struct preflight_facts *facts)
{
    return facts->layout[0] != '\0' && !is_of_another_layout(facts) &&
           !is_spread_otherwise(facts) && !is_of_another_environment(facts);
}

bool preflight_is_foreign(const struct preflight_facts *facts)
{
    return is_of_another_layout(facts) || is_of_another_environment(facts) ||
           (facts->shards[0] != '\0' && is_spread_otherwise(facts));
}

typedef void (*describe_fact)(const struct preflight_facts *facts, char *out, size_t bytes);

static void describe_refusal(const struct preflight_facts *facts, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%s", facts->refusal);
}

static void describe_write_refusal(const struct preflight_facts *facts, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%s", facts->write_refusal);
}

/* Of a managed Redis, whose settings nobody can change by a command. */
static const char *managed(const struct preflight_facts *facts)
{
    return facts->is_config_hidden ? " (of a managed Redis: in its parameters)" : "";
}

static void describe_eviction(const struct preflight_facts *facts, char *out, size_t bytes)
{
    (void)snprintf(out, bytes,
                   "Redis evicts keys when its memory is full, so that events would be lost: set "
                   "its maxmemory-policy to noeviction%s",
                   managed(facts));
}

static void describe_layout(const struct preflight_facts *facts, char *out, size_t bytes)
{
    bool is_number = strspn(facts->layout, "0123456789") == strlen(facts->layout);
    bool is_newer =
        is_number && strtoul(facts->layout, NULL, 10) > strtoul(SHARD_LAYOUT_NUMBER, NULL, 10);
    if (is_newer)
        (void)snprintf(out, bytes,
                       "the data in Redis has layout %s, and this version knows layout %s: start a "
                       "newer version, or set another REDIS_PREFIX",
                       facts->layout, SHARD_LAYOUT_NUMBER);
    else
        (void)snprintf(out, bytes,
                       "the number of the layout in Redis is %s, which no version writes: another "
                       "program has written to this key",
                       facts->layout);
}

static void describe_spread(const struct preflight_facts *facts, char *out, size_t bytes)
{
    (void)snprintf(
        out, bytes,
        "the number of shards in Redis is %s, but REDIS_SHARDS is %s: set it to the number "
        "in Redis",
        facts->shards, facts->shards_wanted);
}

/* What may be long comes last: some callers cut. */
static void describe_environment(const struct preflight_facts *facts, char *out, size_t bytes)
{
    (void)snprintf(
        out, bytes,
        "the signals in Redis belong to another GRAPHQL_URL and AUDIENCE: set both to the values "
        "of the services on it, or set another REDIS_PREFIX. To send these signals with the values "
        "here, stop all processes and delete %s. There: %s; here: %s",
        facts->environment_key, facts->stored_environment, facts->environment);
}

/* The first that applies is named, so the causes come before their consequences. */
static const struct {
    bool (*applies)(const struct preflight_facts *facts);
    const char *reason; /* NULL: `describe` has it */
    describe_fact describe;
} unfit[] = {
    {is_loading, "Redis is still loading its data", NULL},
    {is_replica, "Redis is a replica: the master's address is needed", NULL},
    {is_unwanted_cluster,
     "Redis is a cluster: begin REDIS_URL with redis+cluster://, or rediss+cluster:// over TLS",
     NULL},
    {is_sentinel,
     "Redis is a sentinel: begin REDIS_URL with redis+sentinel://, or rediss+sentinel:// over "
     "TLS, and end it with the master's name",
     NULL},
    {is_refused, NULL, describe_refusal},
    {is_unwritable, NULL, describe_write_refusal},
    {is_silent, "Redis does not tell its role in INFO", NULL},
    {is_evicting, NULL, describe_eviction},
    {is_of_another_layout, NULL, describe_layout},
    {is_spread_otherwise, NULL, describe_spread},
    {is_of_another_environment, NULL, describe_environment},
};

/* --- durability --- */

static bool is_always_synced(const struct preflight_facts *facts)
{
    return facts->has_append_only_file && strcmp(facts->appendfsync, "always") == 0 &&
           strcmp(facts->no_fsync_on_rewrite, "no") == 0;
}

static bool is_confirmed(const struct preflight_facts *facts)
{
    return facts->confirmation_refusal[0] == '\0';
}

/* Redis itself from 8.0 on. Before, and in what was made from it then, WAITAOF says yes while the
 * data is only written where the file is synced once a second: measured on Valkey 8.1 and 9.1 and
 * on Redict 7.3, up to 0.9 s too early. */
static bool is_waitaof_true(const struct preflight_facts *facts)
{
    return facts->has_waitaof && !facts->is_fork && facts->version_major >= 8;
}

/* Whether WAITAOF is told what is asked of it, and soon enough. */
static bool can_wait_for_disk(const struct preflight_facts *facts)
{
    bool is_left_to_system = strcmp(facts->appendfsync, "no") == 0;
    return is_waitaof_true(facts) && facts->syncs_in_time && !is_left_to_system &&
           is_confirmed(facts);
}

/* Replicas are only waited for to sync when the master syncs each write too: from ones that sync
 * once a second every answer would take that long. */
struct confirmation preflight_confirmation(const struct preflight_facts *facts,
                                           struct durability demand)
{
    bool is_always = is_always_synced(facts);
    bool are_synced_too = is_always && facts->replicas_synced >= demand.replicas;
    return (struct confirmation){
        .is_synced = demand.level >= DURABILITY_FSYNC && !is_always && can_wait_for_disk(facts),
        .received = demand.replicas,
        .synced = are_synced_too ? demand.replicas : 0,
    };
}

static bool has_replicas(const struct preflight_facts *facts, struct durability demand)
{
    return demand.level == DURABILITY_REPLICAS && is_confirmed(facts) &&
           facts->replicas_received >= demand.replicas;
}

static struct durability given_durability(const struct preflight_facts *facts,
                                          struct durability demand)
{
    if (!is_always_synced(facts) && !preflight_confirmation(facts, demand).is_synced)
        return (struct durability){.level = DURABILITY_REDIS};
    if (!has_replicas(facts, demand))
        return (struct durability){.level = DURABILITY_FSYNC};
    return demand;
}

/* Of the disk, which every level from fsync on needs. */
static const char *unsynced(const struct preflight_facts *facts)
{
    if (!facts->has_append_only_file)
        return "Redis keeps no append-only file: set appendonly yes and appendfsync always";
    if (facts->appendfsync[0] == '\0')
        return "Redis does not show its appendfsync: grant its user CONFIG GET, or, if that is not "
               "possible, set DURABILITY=redis";
    if (strcmp(facts->appendfsync, "no") == 0)
        return "Redis leaves syncing its file to the system: set appendfsync always";
    if (strcmp(facts->appendfsync, "always") != 0)
        return "Redis syncs its file later: set appendfsync always";
    return "Redis does not sync while it rewrites its file: set no-appendfsync-on-rewrite no";
}

static void describe_reason(const struct preflight_facts *facts, struct durability given,
                            struct durability demand, struct store_health *out)
{
    assert(!durability_satisfies(given, demand));
    char reason[200];
    if (given.level < DURABILITY_FSYNC)
        (void)snprintf(reason, sizeof reason, "%s%s", unsynced(facts),
                       facts->has_append_only_file ? "" : managed(facts));
    else if (facts->replicas_online < demand.replicas)
        (void)snprintf(reason, sizeof reason,
                       "the number of replicas online is %u: start more, or demand less",
                       facts->replicas_online);
    else if (!is_confirmed(facts))
        (void)snprintf(reason, sizeof reason, "%s", facts->confirmation_refusal);
    else
        (void)snprintf(reason, sizeof reason,
                       "only %u of the %u replicas online acknowledge in time: see their lag in "
                       "INFO replication",
                       facts->replicas_received, facts->replicas_online);
    (void)snprintf(out->reason, sizeof out->reason, "%s is demanded, but %s",
                   durability_name(demand), reason);
}

void preflight_evaluate(const struct preflight_facts *facts, struct durability demand,
                        struct store_health *out)
{
    *out = (struct store_health){
        .durability = given_durability(facts, demand),
        .is_clock_known = facts->clock_us > 0,
        .clock_ahead_ms = facts->clock_ahead_ms,
        .is_foreign = preflight_is_foreign(facts),
    };
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        if (!unfit[i].applies(facts))
            continue;
        if (unfit[i].reason != NULL)
            (void)snprintf(out->reason, sizeof out->reason, "%s", unfit[i].reason);
        else
            unfit[i].describe(facts, out->reason, sizeof out->reason);
        return;
    }
    out->is_ready = durability_satisfies(out->durability, demand);
    if (!out->is_ready)
        describe_reason(facts, out->durability, demand, out);
    else if ((out->is_refusing = facts->write_refusal[0] != '\0'))
        (void)snprintf(out->reason, sizeof out->reason, "%s", facts->write_refusal);
    else if (!facts->has_append_only_file)
        (void)snprintf(out->reason, sizeof out->reason,
                       "Redis keeps no append-only file: what it acknowledged since its last "
                       "snapshot is lost when it stops");
    else if (demand.level == DURABILITY_ANY && out->durability.level < DURABILITY_FSYNC)
        (void)snprintf(out->reason, sizeof out->reason, "%s%s", unsynced(facts),
                       facts->appendfsync[0] == '\0' ? ""
                                                     : ", or DURABILITY=redis if that is enough");
    assert(out->is_ready || out->reason[0] != '\0');
}

bool preflight_is_elsewhere(const struct preflight_facts *facts, struct durability demand)
{
    return is_replica(facts) ||
           (demand.level == DURABILITY_REPLICAS && !has_replicas(facts, demand));
}
