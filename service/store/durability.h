/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * How durable a write is once it is acknowledged; docs/durability.md says what each level survives.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

/* Ascending: each includes those before it. DURABILITY_ANY is only a demand: whatever Redis gives.
 */
enum durability_level {
    DURABILITY_ANY,
    DURABILITY_REDIS,
    DURABILITY_FSYNC,
    DURABILITY_REPLICAS,
    DURABILITY_SPOOL, /* is only given, never demanded: on the disk of this machine, until Redis is
                         back */
};

enum { DURABILITY_REPLICAS_MAX = 16 };

struct durability {
    enum durability_level level;
    unsigned replicas; /* DURABILITY_REPLICAS: 1 to DURABILITY_REPLICAS_MAX; 0 otherwise */
};

#define DURABILITY_NAMES "any, redis, fsync, replicas:N"

const char *durability_name(struct durability durability); /* "replicas:2" */
bool durability_parse(const char *text, struct durability *out);
bool durability_equals(struct durability a, struct durability b);
/* Whether `given` is at least what is demanded. */
bool durability_satisfies(struct durability given, struct durability demanded);
