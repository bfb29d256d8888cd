/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/store/script.h"

static const char *const durability_names[] = {
    [DURABILITY_ANY] = "any",
    [DURABILITY_REDIS] = "redis",
    [DURABILITY_FSYNC] = "fsync",
};

const char *durability_name(enum durability durability)
{
    return durability_names[durability];
}

bool durability_parse(const char *text, enum durability *out)
{
    for (int i = DURABILITY_ANY; i <= DURABILITY_FSYNC; i++) {
        if (strcmp(text, durability_names[i]) == 0) {
            *out = (enum durability)i;
            return true;
        }
    }
    return false;
}

/* --- reading --- */

static void copy_text(char *out, size_t out_bytes, const char *value, size_t length)
{
    (void)snprintf(out, out_bytes, "%.*s", (int)length, value);
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
    else if (IS("maxmemory_policy"))
        copy_text(facts->eviction, sizeof facts->eviction, value, value_length);
    else if (IS("aof_enabled"))
        facts->has_append_only_file = *value == '1';
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

bool preflight_is_replica(const struct preflight_facts *facts)
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
    {preflight_is_replica, "Redis is a replica: the master's address is needed"},
    {is_refused, NULL},
    {is_unwritable, NULL},
    {is_silent, "Redis does not tell its role in INFO"},
    {is_evicting,
     "Redis evicts keys when its memory is full, so that events would be lost: set its "
     "maxmemory-policy to noeviction"},
    {is_spread_otherwise, "the data in Redis is spread over another number of shards than this "
                          "version uses: see seek-signal:shards"},
};

static enum durability given_durability(const struct preflight_facts *facts)
{
    bool is_synced = facts->has_append_only_file && strcmp(facts->appendfsync, "always") == 0 &&
                     strcmp(facts->no_fsync_on_rewrite, "no") == 0;
    return is_synced ? DURABILITY_FSYNC : DURABILITY_REDIS;
}

static const char *shortfall(const struct preflight_facts *facts)
{
    if (!facts->has_append_only_file)
        return "fsync is demanded, but Redis keeps no append-only file: set appendonly yes and "
               "appendfsync always";
    if (facts->appendfsync[0] == '\0')
        return "fsync is demanded, but Redis does not let us see its appendfsync: allow CONFIG GET "
               "to its user";
    if (strcmp(facts->appendfsync, "always") != 0)
        return "fsync is demanded, but Redis syncs its file later: set appendfsync always";
    return "fsync is demanded, but Redis does not sync while it rewrites its file: set "
           "no-appendfsync-on-rewrite no";
}

void preflight_evaluate(const struct preflight_facts *facts, enum durability demand,
                        struct store_health *out)
{
    *out = (struct store_health){.durability = given_durability(facts)};
    const char *reason = "";
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++) {
        if (unfit[i].applies(facts)) {
            reason = unfit[i].reason != NULL ? unfit[i].reason
                     : is_refused(facts)     ? facts->refusal
                                             : facts->write_refusal;
            (void)snprintf(out->reason, sizeof out->reason, "%s", reason);
            return;
        }
    }
    out->is_ready = out->durability >= demand;
    if (!out->is_ready)
        reason = shortfall(facts);
    else if (!facts->has_append_only_file)
        reason = "Redis keeps no append-only file: what it acknowledged since its last snapshot is "
                 "lost when it stops";
    (void)snprintf(out->reason, sizeof out->reason, "%s", reason);
}
