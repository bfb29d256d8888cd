/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Records the outcomes of claims.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/domain/upstream_reply.h"
#include "service/store/call_failure.h"

struct store;

enum settle_action {
    SETTLE_DELIVERED,
    SETTLE_RETRY,
    SETTLE_DEAD,
    SETTLE_RELEASE, /* was never sent */
    SETTLE_DAMAGED  /* cannot be sent: a field of it is not ours */
};
struct settlement {
    const char *application_id;
    uint64_t generation;
    enum settle_action action;
    int64_t delay_ms;              /* SETTLE_RETRY */
    const struct verdict *verdict; /* NULL for the two that were not sent */
    const char *damage;            /* SETTLE_DAMAGED: the field, which is dropped */
};
enum settle_outcome {
    SETTLED,
    SETTLE_FENCED, /* a newer seek-token or another lease moved on */
    SETTLE_UNDONE  /* its shard did not take it, or nobody knows; others did */
};
/* STORE_OK: at least one shard took what is its. */
typedef void (*store_settle_done)(void *context, const struct store_failure *failure,
                                  const enum settle_outcome *outcomes, size_t count);
MUST_CHECK bool store_settle(struct store *store, const struct settlement *settlements,
                             size_t count, store_settle_done done, void *context,
                             struct error *error);
