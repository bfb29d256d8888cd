/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The events of one POST /v1/events, from the batch that commits them to the answer.
 *
 *     gathered ──► stored ──► (waits for the final state) ──► answered
 *
 * Owns:    its events, and what became of each.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/domain/event.h"
#include "service/inbound/waiting_room.h"
#include "service/store/store.h"

struct call;

enum item_fate {
    ITEM_REJECTED, /* never sent: the entry has its rejection */
    ITEM_OPEN,
    ITEM_STORED, /* outcome, state and durability are known; ACCEPT_NO_TOKEN included */
    ITEM_FAILED, /* failure says why */
};

struct submission_item {
    enum item_fate fate;
    enum accept_outcome outcome;
    enum delivery_state state;
    struct durability durability;
    enum store_status failure; /* ITEM_FAILED */
    char event_id[ATTEMPT_ID_BYTES];
};

struct submission {
    struct call *call;         /* borrowed: owns us */
    struct event_list *events; /* owned */
    char
        traceparent[TRACEPARENT_BYTES + 1]; /* of the request, "" without; for events without one */
    int64_t wait_ms;                        /* 0: answer as soon as it is stored */
    struct guest guest;
    size_t open;                    /* events that the batch has */
    char failure_detail[160];       /* of the newest ITEM_FAILED */
    struct submission_item items[]; /* one per event */
};

/* Takes the events, also on failure. NULL: out of memory. */
struct submission *submission_create(struct call *call, struct event_list *take_events);
void submission_destroy(struct submission *submission); /* accepts NULL */
/* Hands the events to the batch; the answer follows, at the latest when the store times out. */
void submission_gather(struct submission *submission);
/* The client left. */
void submission_stop_waiting(struct submission *submission);

const char *accept_outcome_name(enum accept_outcome outcome); /* "accepted", … */

/* submission_answer.c: answers the call. `final` is the application as it was last looked at, NULL:
 * it was not. */
void submission_answer(struct submission *submission, const struct application *final);
