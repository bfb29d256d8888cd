/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Is this Redis fit to hold the queue, and what does it promise? Facts in, health out;
 * inspection.c asks.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/store/confirmation.h"
#include "service/store/durability.h"
#include "service/store/health.h"

struct preflight_facts {
    char refusal[320]; /* of what is always needed; "": nothing was refused */
    /* Of what takes memory or writes at all. That matters only while the layout is not there:
     * later, at maxmemory, the queue must still be able to drain. */
    char write_refusal[160];
    /* From INFO. */
    char role[16];
    bool is_loading;
    bool is_cluster; /* a node of one */
    bool is_sentinel;
    uint64_t maxmemory;
    char eviction[32]; /* maxmemory-policy */
    bool has_append_only_file;
    unsigned replicas_online;
    int64_t clock_us;         /* Redis's; 0: it does not tell */
    int64_t clock_read_at_ms; /* on our monotonic clock */
    int64_t clock_ahead_ms;   /* of our wall clock */
    bool is_fork;             /* not Redis itself, but made from it */
    unsigned version_major;   /* that it has or stands for */
    /* From CONFIG GET, which a managed Redis forbids; "" then. */
    bool is_config_hidden;
    char appendfsync[16];
    char no_fsync_on_rewrite[8];
    /* What lies there: the number of the layout, and of the shards that the data is spread over. */
    char layout[16], shards[16];
    char shards_wanted[16]; /* of this process */
    bool is_cluster_wanted;
    bool is_moving; /* the slot that was tried moves to another node, or has moved */
    /* Where the signals there belong to another environment of SEEK, cut: ours, theirs, and the key
     * that says so; "" and NULL otherwise. */
    char environment[120], stored_environment[120];
    const char *environment_key; /* borrowed: the shard's */
    /* What confirmations of our own brought: WAIT and WAITAOF. */
    bool has_waitaof;
    bool syncs_in_time; /* WAITAOF came back as soon as a confirmation needs it */
    unsigned replicas_received, replicas_synced;
    char confirmation_refusal[160];
};

/* Takes what is of interest from INFO's answer, and leaves the rest of `facts` alone. */
void preflight_read_info(const char *info, struct preflight_facts *facts);
/* A value of CONFIG GET; one that is of no interest is ignored. */
void preflight_read_setting(const char *name, const char *value, struct preflight_facts *facts);

/* The data has the layout of this version, and its number of shards, and no other environment. */
bool preflight_knows_layout(const struct preflight_facts *facts);
/* Another version's, spread otherwise, or of another environment: not to be touched. */
bool preflight_is_foreign(const struct preflight_facts *facts);

/* What has to be asked behind each acknowledged write, so that it is as durable as demanded. */
struct confirmation preflight_confirmation(const struct preflight_facts *facts,
                                           struct durability demand);
/* `demand`: the least durability to accept. */
void preflight_evaluate(const struct preflight_facts *facts, struct durability demand,
                        struct store_health *out);
/* This Redis will not do, but another may be the right one by now: a replica, or a master that has
 * lost its replicas. */
bool preflight_is_elsewhere(const struct preflight_facts *facts, struct durability demand);
