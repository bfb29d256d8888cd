/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the files of the store share: the connection with its health (store.c, inspection.c) and the
 * call of a script (script_call.c), which applications.c and leases.c are made of.
 *
 * Owns:    see struct store and struct script_call.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

#include "service/store/preflight.h"
#include "service/store/refusal.h"
#include "service/store/script.h"
#include "service/store/spool_record.h"
#include "service/store/store.h"

enum { INSPECTION_QUESTIONS_MAX = 12 + SCRIPT_COUNT };

/* One round of questions to Redis: at each connection, and from time to time since settings can
 * change. */
struct inspection {
    struct inspection_answer {
        struct store *store; /* borrowed: owns this */
        unsigned question;
    } answers[INSPECTION_QUESTIONS_MAX];
    size_t awaited;      /* answers; 0: none is running */
    bool is_interrupted; /* by the end of the connection: no finding */
    struct preflight_facts facts;
    int64_t next_at_ms;
};

struct store {
    struct store_options options;
    struct redis_client *client; /* owned */
    int64_t now_ms;              /* of the last turn */
    struct store_health health;
    struct confirmation confirmation; /* while ready */
    struct inspection inspection;
    char hashes[SCRIPT_COUNT][SCRIPT_HASH_BYTES];
    size_t calls_open;
    struct store_counters counters;
    const struct refusal *refusals[SCRIPT_COUNT]; /* as last logged; NULL: it works */
};

/* Asks; does nothing while the last round is still running. */
void inspection_start(struct store *store);
int64_t inspection_timeout_ms(const struct store *store, int64_t now_ms); /* -1: none */
/* inspection.c hands its finding to store.c. */
void store_apply_finding(struct store *store, const struct store_health *finding);
/* A write was not confirmed as demanded: not ready until an inspection of a new connection, perhaps
 * to another master, finds it otherwise. Calls that are open end STORE_UNAVAILABLE soon. */
void store_fall_short(struct store *store, const char *shortfall);

/* --- the call of a script --- */
struct script_call;

struct script_call_kind {
    enum script script;
    /* Reads the reply into `results`. False: the script does not answer like this. */
    bool (*read)(struct script_call *call, const struct redis_reply *reply);
    /* Tells the caller, with the results when `failure->status` is STORE_OK. */
    void (*finish)(struct script_call *call, const struct store_failure *failure);
};

struct script_call {
    struct store *store; /* borrowed: ends all its calls before it goes */
    const struct script_call_kind *kind;
    union { /* by kind */
        store_accept_done accept;
        store_done simple;
        store_replay_done replay;
        store_get_done get;
        store_claim_done claim;
        store_settle_done settle;
        store_census_done census;
        store_drain_done drain;
        store_list_done list;
        store_replay_dead_done replay_dead;
    } done;
    void *context; /* of `done` */
    void *
        results; /* owned; made beforehand, so that no answer of Redis is lost for want of memory */
    size_t count; /* items asked for */

    /* The command, kept to be sent again with the whole script when Redis has lost it. */
    const char **arguments; /* owned; as many as `lengths` */
    size_t *lengths;        /* owned */
    size_t arguments_count, arguments_max;
    struct buffer text; /* of the arguments from CALL_OWN_ARGUMENTS on */
    bool is_incomplete; /* an argument found no memory */
    bool is_sent_whole;
    int64_t sent_at_us;

    /* Answers that are still to come: the script's, and those of its confirmation. */
    size_t answers_open;
    struct confirmation confirmation;
    struct store_failure failure; /* the first; STORE_OK: none so far */
    struct redis_reply *reply;    /* owned; the script's, while its confirmation is awaited */
};

/* `arguments_max` of the script's own; `results_bytes` of zeroes in `results`. NULL and ERROR_IO
 * while the store is not ready, ERROR_MEMORY. */
MUST_CHECK struct script_call *script_call_create(struct store *store,
                                                  const struct script_call_kind *kind,
                                                  size_t arguments_max, size_t results_bytes,
                                                  struct error *error);
void script_call_destroy(struct script_call *call); /* accepts NULL */
DEFINE_AUTO(script_call);

void script_call_add_text(struct script_call *call, const char *text); /* NULL is "" */
void script_call_add_number(struct script_call *call, int64_t number);
/* ERROR_MEMORY when an argument could not be added, or as redis_client_send. */
MUST_CHECK bool script_call_send(struct script_call *take_call, struct error *error);

bool reply_is_array_of(const struct redis_reply *reply, size_t length);
const char *reply_text_at(const struct redis_reply *reply, size_t index);
int64_t reply_number_at(const struct redis_reply *reply, size_t index);
