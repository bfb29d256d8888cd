/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Asks Redis what preflight.c wants to know, and loads the scripts where the connection is new.
 *
 * Owns: nothing. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/net/redis_client.h"

#include "service/store/durability.h"
#include "service/store/preflight.h"
#include "service/store/script.h"
#include "service/store/shard.h"

enum { INSPECTION_QUESTIONS_MAX = 16 + SCRIPT_COUNT_ALL + 2 * SHARD_COUNT_MAX };

/* One round of questions: at each connection, and from time to time since settings can change. */
struct inspection {
    struct redis_client *client; /* borrowed, as the next */
    const struct shard *shards;  /* all of the store */
    unsigned shard_count;
    unsigned own[SHARD_COUNT_MAX]; /* numbers of those that lie there */
    size_t own_count;
    unsigned rounds;          /* so far */
    unsigned tried;           /* whose keys are tried: another one in each round */
    bool is_visitor;          /* what is missing stays so */
    bool is_of_cluster;       /* the server is to be a node of one, else none */
    struct durability demand; /* the least to accept */
    const char *environment;  /* borrowed; NULL: that does not count */
    /* A shard's layout was looked at, or was not, since its slot is on its way to another node. */
    void (*looked_at)(void *context, unsigned shard, bool is_moving);
    /* All questions are answered: what was found is in `facts`. */
    void (*finished)(void *context);
    void *context;

    struct inspection_answer {
        struct inspection *inspection; /* borrowed: owns this */
        unsigned question;
    } answers[INSPECTION_QUESTIONS_MAX];
    size_t awaited;      /* answers; 0: none is running */
    bool is_interrupted; /* by the end of the connection: no finding */
    bool is_own_changed; /* its shards, since the round began */
    bool is_rest_known;  /* all of its shards have been looked at, and are as they are to be */
    bool is_of_the_rest; /* the layout of the other shards is asked for, after the first one's */
    bool is_rest_moving; /* the slot of one of them is on its way: it is to be asked again */
    struct preflight_facts facts;
    char hashes[SCRIPT_COUNT_ALL][SCRIPT_HASH_BYTES]; /* "": not loaded by this connection */
    int64_t next_at_ms;
};

/* The connection is new: there may be another Redis behind it, which has no scripts. */
void inspection_start_anew(struct inspection *inspection, int64_t now_ms);
/* Asks; does nothing while the last round is still running. */
void inspection_start(struct inspection *inspection, int64_t now_ms);
void inspection_plan(struct inspection *inspection, bool is_well, int64_t now_ms);  /* the next */
int64_t inspection_timeout_ms(const struct inspection *inspection, int64_t now_ms); /* -1: none */
