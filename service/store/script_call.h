/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One call of a script, from its arguments to its answer and to the confirmation that follows. The
 * calls of the store's users are made of it.
 *
 * Owns:    its command, its results and the reply they point into.
 * Threads: one at a time, the store's.
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

#include "service/store/confirmation.h"
#include "service/store/group_commit.h"
#include "service/store/store_internal.h"

struct fan;
struct script_call;

struct script_call_kind {
    enum script script;
    /* Reads the reply into `results`. False: the script does not answer like this. */
    bool (*read)(struct script_call *call, const struct redis_reply *reply);
    /* Tells the caller, with the results when `failure->status` is STORE_OK. A part of a fan has
     * nobody to tell. */
    void (*finish)(struct script_call *call, const struct store_failure *failure);
    bool makes_due; /* what is to be claimed at once */
};

union script_call_done { /* by kind */
    store_accept_done accept;
    store_done simple;
    store_forget_done forget;
    store_replay_done replay;
    store_get_done get;
    store_claim_done claim;
    store_settle_done settle;
    store_census_done census;
    store_history_done history;
    store_drain_done drain;
    store_list_done list;
    store_move_in_done move_in;
    store_move_out_done move_out;
    store_notify_done notify;
    store_replay_dead_done replay_dead;
    store_forget_dead_done forget_dead;
};

struct script_call {
    struct store *store;     /* borrowed: ends all its calls before it goes */
    struct shard *shard;     /* the store's, whose keys these are */
    struct store_link *link; /* the shard's, when it was sent */
    const struct script_call_kind *kind;
    struct fan *fan; /* borrowed: of which this is a part, and who owns us then; NULL: none */
    void (*ended)(struct script_call *call); /* the fan's */
    union script_call_done done;
    void *context; /* of `done` */
    void *results; /* owned; made beforehand: no answer of Redis is lost for want of memory */
    size_t count;  /* items asked for */

    /* The command, kept to be sent again with the whole script when Redis has lost it. */
    const char **arguments; /* owned; as many as `lengths` */
    size_t *lengths;        /* owned */
    size_t arguments_count, arguments_max;
    struct buffer text; /* of the arguments from CALL_OWN_ARGUMENTS on */
    bool is_incomplete; /* an argument found no memory */
    bool is_sent_whole;
    int64_t sent_at_us;
    struct store_link *next_link; /* where it goes once all answers of this one are here */
    unsigned moves;               /* so far */
    struct durability told;       /* what its caller may name: that of the link it was sent to */

    /* Answers that are still to come: the script's, its mark's, and that to all who wait. */
    size_t answers_open;
    struct confirmation confirmation;
    struct group_member member;   /* of those that the link asks for together */
    struct store_failure failure; /* the first; STORE_OK: none so far */
    struct redis_reply *reply;    /* owned; the script's, while its confirmation or the other parts
                                     are awaited */
};

/* `arguments_max` of the script's own; `results_bytes` of zeroes in `results`. NULL and ERROR_IO
 * while the shard's link is not ready, ERROR_MEMORY. */
MUST_CHECK struct script_call *script_call_create(struct store *store, struct shard *shard,
                                                  const struct script_call_kind *kind,
                                                  size_t arguments_max, size_t results_bytes,
                                                  struct error *error);
void script_call_destroy(struct script_call *call); /* accepts NULL */
DEFINE_AUTO(script_call);

/* Arguments: script_arguments.c. */
void script_call_add_text(struct script_call *call, const char *text); /* NULL is "" */
void script_call_add_bytes(struct script_call *call, const char *bytes, size_t length);
void script_call_add_number(struct script_call *call, int64_t number);
/* As it lies in an application: seven bytes, the first the highest. */
void script_call_add_generation(struct script_call *call, uint64_t generation);
/* Behind what the last argument holds already. */
void script_call_extend_text(struct script_call *call, const char *text);
void script_call_extend_number(struct script_call *call, int64_t number);
/* As application.lua reads it; `life` 0: not known. The second, behind what the last argument holds
 * already. */
void script_call_add_stamp(struct script_call *call, int64_t us, uint32_t life);
void script_call_extend_stamp(struct script_call *call, int64_t us, uint32_t life);
/* As it is stored. */
void script_call_add_event_id(struct script_call *call, const char *event_id);
/* ERROR_MEMORY when an argument could not be added, or as redis_client_send. */
MUST_CHECK bool script_call_send(struct script_call *take_call, struct error *error);

/* For kinds that answer nothing but that they are done, with `done.simple`: script_simple.c. */
bool script_call_read_nothing(struct script_call *call, const struct redis_reply *reply);
void script_call_finish_simple(struct script_call *call, const struct store_failure *failure);
