/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the spool keeps of an event, or of the seek-token of a draft, and the call that brings it to
 * Redis at last.
 *
 * Owns: nothing. Threads: any; the call the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#include "service/store/call_failure.h"

struct store;

enum spool_kind { SPOOL_EVENT, SPOOL_DRAFT };

struct spool_record {
    enum spool_kind kind;
    const char *application_id;
    const char *seek_token;
    const char *event_id;
    int64_t completed_at_ms; /* SPOOL_EVENT; a known time */
    const char *traceparent; /* NULL or "": none */
    int64_t stamp_us;        /* when it was accepted: see spool_stamp */
};

/* Appends it as a record of a journal. ERROR_MEMORY or ERROR_FULL; `out` is unchanged then. */
MUST_CHECK bool spool_record_write(struct buffer *out, const struct spool_record *record,
                                   struct error *error);
/* The texts borrow from `payload`. False: it is not one that this version wrote. */
MUST_CHECK bool spool_record_read(const char *payload, size_t length, struct spool_record *out);

/* --- drain: many records, one script call, one commit; see store.h --- */
enum drain_outcome { DRAIN_APPLIED, DRAIN_DUPLICATE, DRAIN_SUPERSEDED, DRAIN_OUTCOME_COUNT };
typedef void (*store_drain_done)(void *context, const struct store_failure *failure,
                                 const enum drain_outcome *outcomes, size_t count);
MUST_CHECK bool store_drain(struct store *store, const struct spool_record *records, size_t count,
                            store_drain_done done, void *context, struct error *error);
