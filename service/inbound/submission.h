/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The events of one POST /v1/events, from the batch that commits them to the answer.
 *
 *     gathered ──► stored ──► (waits for the final state) ──► answered
 *
 * Owns:    its events, and the outcome of each.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/domain/event.h"
#include "service/inbound/call.h"
#include "service/inbound/submission_item.h"
#include "service/inbound/waiting_room.h"
#include "service/outbound/outcome_watch.h"

struct submission {
    struct call_work work;
    struct call *call;         /* borrowed: owns us */
    struct event_list *events; /* owned */
    char
        traceparent[TRACEPARENT_BYTES + 1]; /* of the request, "" without; for events without one */
    int64_t wait_ms;                        /* 0: answer as soon as it is stored */
    struct waiter waiter;
    struct outcome_waiter
        outcome;              /* among the workers', while wait_ms is not 0 and they are there */
    size_t open;              /* events that the batch has */
    char failure_detail[512]; /* of the newest ITEM_FAILED */
    struct submission_item items[]; /* one per event */
};

/* Becomes the work of the call. Takes the events, also on failure. NULL: out of memory. */
struct submission *submission_create(struct call *call, struct event_list *take_events);
/* Hands the events to the batch; the answer follows, at the latest when the store times out. */
void submission_gather(struct submission *submission);
