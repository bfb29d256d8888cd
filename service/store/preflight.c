/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/preflight.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/store/script.h"

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
           isdigit((unsigned char)name[prefix_length]);
}

static bool is_online(const char *value, size_t length)
{
    static const char online[] = "state=online";
    return memmem(value, length, online, sizeof online - 1) != NULL;
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
#define IS(name) (name_length == sizeof(name) - 1 && memcmp(line, name, name_length) == 0)
    if (IS("role"))
        copy_text(facts->role, sizeof facts->role, value, value_length);
    else if (IS("loading"))
        facts->is_loading = *value != '0';
    else if (IS("maxmemory"))
        facts->maxmemory = strtoull(value, NULL, 10);
    else if (IS("server_time_usec"))
        facts->clock_us = strtoll(value, NULL, 10);
    else if (IS("maxmemory_policy"))
        copy_text(facts->eviction, sizeof facts->eviction, value, value_length);
    else if (IS("aof_enabled"))
        facts->has_append_only_file = *value == '1';
    else if (is_replica_line(line, name_length) && is_online(value, value_length))
        facts->replicas_online++;
#undef IS
}

void preflight_read_info(const char *info, struct preflight_facts *facts)
{
    while (*info != '\0') {
        size_t length = strcspn(info, "\r\n");
        read_line(info, length, facts);
        info += length;
        info += strspn(info, "\r\n");
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
    return facts->shards[0] == '\0' && facts->write_refusal[0] != '\0';
}

static bool is_spread_otherwise(const struct preflight_facts *facts)
{
    return strcmp(facts->shards, STORE_SHARD_COUNT) != 0;
}

/* The first that applies is named, so the causes come before their consequences. */
static const struct {
    bool (*applies)(const struct preflight_facts *facts);
    const char *reason; /* NULL: Redis's own refusal */
} unfit[] = {
    {is_loading, "Redis is still loading its data"},
    {is_replica, "Redis is a replica: the master's address is needed"},
    {is_refused, NULL},
    {is_unwritable, NULL},
    {is_silent, "Redis does not tell its role in INFO"},
    {is_evicting,
     "Redis evicts keys when its memory is full, so that events would be lost: set its "
     "maxmemory-policy to noeviction"},
    {is_spread_otherwise, "the data in Redis is spread over another number of shards than this "
                          "version uses: see seek-signal:shards"},
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

/* Replicas are only waited for to sync when the master syncs each write too: from ones that sync
 * once a second every answer would take that long. */
struct confirmation preflight_confirmation(const struct preflight_facts *facts,
                                           struct durability demand)
{
    bool is_always = is_always_synced(facts);
    bool are_synced_too = is_always && facts->replicas_synced >= demand.replicas;
    return (struct confirmation){
        .is_synced = demand.level >= DURABILITY_FSYNC && !is_always && facts->has_waitaof &&
                     is_confirmed(facts),
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
        return "Redis does not let us see its appendfsync: allow CONFIG GET to its user";
    if (strcmp(facts->appendfsync, "always") != 0)
        return "Redis syncs its file later: set appendfsync always";
    return "Redis does not sync while it rewrites its file: set no-appendfsync-on-rewrite no";
}

static void describe_shortfall(const struct preflight_facts *facts, struct durability given,
                               struct durability demand, struct store_health *out)
{
    char reason[sizeof facts->confirmation_refusal];
    if (given.level < DURABILITY_FSYNC)
        (void)snprintf(reason, sizeof reason, "%s", unsynced(facts));
    else if (facts->replicas_online < demand.replicas)
        (void)snprintf(reason, sizeof reason,
                       "the number of replicas online is %u: start more, or demand less",
                       facts->replicas_online);
    else if (!is_confirmed(facts))
        (void)snprintf(reason, sizeof reason, "%s", facts->confirmation_refusal);
    else
        (void)snprintf(reason, sizeof reason,
                       "only %u of %u online acknowledge in time: see their lag in INFO "
                       "replication",
                       facts->replicas_received, facts->replicas_online);
    (void)snprintf(out->reason, sizeof out->reason, "%s is demanded, but %s",
                   durability_name(demand), reason);
}

void preflight_evaluate(const struct preflight_facts *facts, struct durability demand,
                        struct store_health *out)
{
    *out = (struct store_health){.durability = given_durability(facts, demand)};
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        if (unfit[i].applies(facts)) {
            const char *reason = unfit[i].reason != NULL ? unfit[i].reason
                                 : is_refused(facts)     ? facts->refusal
                                                         : facts->write_refusal;
            (void)snprintf(out->reason, sizeof out->reason, "%s", reason);
            return;
        }
    }
    out->is_ready = durability_satisfies(out->durability, demand);
    if (!out->is_ready)
        describe_shortfall(facts, out->durability, demand, out);
    else if ((out->is_refusing = facts->write_refusal[0] != '\0'))
        (void)snprintf(out->reason, sizeof out->reason, "%s", facts->write_refusal);
    else if (!facts->has_append_only_file)
        (void)snprintf(out->reason, sizeof out->reason,
                       "Redis keeps no append-only file: what it acknowledged since its last "
                       "snapshot is lost when it stops");
}

bool preflight_is_elsewhere(const struct preflight_facts *facts, struct durability demand)
{
    return is_replica(facts) ||
           (demand.level == DURABILITY_REPLICAS && !has_replicas(facts, demand));
}
