/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Events and drafts that lay in the spool come in: many of them, one script call, one commit.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

enum drain_kind { DRAIN_EVENT, DRAIN_DRAFT };

struct drain_record {
    enum drain_kind kind;
    const char *application_id;
    const char *seek_token;
    const char *event_id;
    int64_t completed_at_ms; /* DRAIN_EVENT; a known time */
    const char *traceparent; /* NULL or "": none */
    int64_t stamp_us;        /* when it was accepted: see spool_stamp */
    uint32_t life;           /* see spool_life; 0: not known */
};

enum drain_outcome {
    DRAIN_APPLIED,
    DRAIN_DUPLICATE,
    DRAIN_SUPERSEDED,
    DRAIN_DAMAGED, /* the key holds something else */
    DRAIN_OUTCOME_COUNT,
    DRAIN_UNDONE = DRAIN_OUTCOME_COUNT /* its shard did not take it, or too late, or nobody knows */
};
typedef void (*store_drain_done)(void *context, const struct store_failure *failure,
                                 const enum drain_outcome *outcomes, size_t count);
/* STORE_OK: at least one shard has answered. */
MUST_CHECK bool store_drain(struct store *store, const struct drain_record *records, size_t count,
                            store_drain_done done, void *context, struct error *error);
