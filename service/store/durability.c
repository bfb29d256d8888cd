/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/store/durability.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    struct durability durability;
} names[] = {
    {"any", {DURABILITY_ANY, 0}},
    {"redis", {DURABILITY_REDIS, 0}},
    {"fsync", {DURABILITY_FSYNC, 0}},
    {"replicas:1", {DURABILITY_REPLICAS, 1}},
    {"replicas:2", {DURABILITY_REPLICAS, 2}},
    {"replicas:3", {DURABILITY_REPLICAS, 3}},
    {"replicas:4", {DURABILITY_REPLICAS, 4}},
    {"replicas:5", {DURABILITY_REPLICAS, 5}},
    {"replicas:6", {DURABILITY_REPLICAS, 6}},
    {"replicas:7", {DURABILITY_REPLICAS, 7}},
    {"replicas:8", {DURABILITY_REPLICAS, 8}},
    {"replicas:9", {DURABILITY_REPLICAS, 9}},
    {"replicas:10", {DURABILITY_REPLICAS, 10}},
    {"replicas:11", {DURABILITY_REPLICAS, 11}},
    {"replicas:12", {DURABILITY_REPLICAS, 12}},
    {"replicas:13", {DURABILITY_REPLICAS, 13}},
    {"replicas:14", {DURABILITY_REPLICAS, 14}},
    {"replicas:15", {DURABILITY_REPLICAS, 15}},
    {"replicas:16", {DURABILITY_REPLICAS, 16}},
};
enum { NAMES_COUNT = sizeof names / sizeof names[0] };
_Static_assert(NAMES_COUNT == DURABILITY_REPLICAS + DURABILITY_REPLICAS_MAX, "a name for each");

/* The table ascends without a gap, so that a level is its own place. */
const char *durability_name(struct durability durability)
{
    if (durability.level == DURABILITY_SPOOL)
        return "spool";
    size_t place = (size_t)durability.level;
    if (durability.level == DURABILITY_REPLICAS) {
        assert(durability.replicas >= 1 && durability.replicas <= DURABILITY_REPLICAS_MAX);
        place += durability.replicas - 1;
    }
    assert(place < NAMES_COUNT);
    return names[place].name;
}

bool durability_parse(const char *text, struct durability *out)
{
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out = names[i].durability;
            return true;
        }
    }
    return false;
}

bool durability_equals(struct durability a, struct durability b)
{
    return a.level == b.level && a.replicas == b.replicas;
}

bool durability_satisfies(struct durability given, struct durability demanded)
{
    if (given.level == DURABILITY_SPOOL) /* one disk, as with fsync, but no second machine */
        return demanded.level < DURABILITY_REPLICAS;
    return given.level > demanded.level ||
           (given.level == demanded.level && given.replicas >= demanded.replicas);
}
