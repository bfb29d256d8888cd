/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Is this Redis fit to hold the queue, and what does it promise? Facts in, finding out;
 * inspection.c asks.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/store/confirmation.h"
#include "service/store/store.h"

struct preflight_facts {
    char refusal[160]; /* of what is always needed; "": nothing was refused */
    /* Of the first write. That matters only while the key of the shards is not there: later, at
     * maxmemory, the queue must still be able to drain. */
    char write_refusal[160];
    /* From INFO. */
    char role[16];
    bool is_loading;
    uint64_t maxmemory;
    char eviction[32]; /* maxmemory-policy */
    bool has_append_only_file;
    unsigned replicas_online;
    int64_t clock_us;         /* Redis's; 0: it does not tell */
    int64_t clock_read_at_ms; /* on our monotonic clock */
    /* From CONFIG GET, which a managed Redis forbids; "" then. */
    char appendfsync[16];
    char no_fsync_on_rewrite[8];
    /* From the key that says how many shards the data is spread over. */
    char shards[16];
    /* What confirmations of our own brought: WAIT and WAITAOF. */
    bool has_waitaof;
    unsigned replicas_received, replicas_synced;
    char confirmation_refusal[160];
};

/* Takes what is of interest from INFO's answer, and leaves the rest of `facts` alone. */
void preflight_read_info(const char *info, struct preflight_facts *facts);
/* A value of CONFIG GET; one that is of no interest is ignored. */
void preflight_read_setting(const char *name, const char *value, struct preflight_facts *facts);

/* What has to be asked behind each acknowledged write, so that it is as durable as demanded. */
struct confirmation preflight_confirmation(const struct preflight_facts *facts,
                                           struct durability demand);
/* `demand`: the least durability to accept. */
void preflight_evaluate(const struct preflight_facts *facts, struct durability demand,
                        struct store_health *out);
/* This Redis will not do, but another may be the right one by now: a replica, or a master that has
 * lost its replicas. */
bool preflight_is_elsewhere(const struct preflight_facts *facts, struct durability demand);
