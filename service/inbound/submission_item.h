/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One event of a submission, and its outcome.
 *
 * Owns:    nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>

#include "service/domain/event.h"
#include "service/inbound/inbound_metrics.h"
#include "service/store/store.h"

enum item_fate {
    ITEM_REJECTED, /* never sent: the entry has its rejection */
    ITEM_OPEN,
    ITEM_STORED, /* Redis has answered: the outcome is known, and unless it is a refusal the rest */
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

struct outcome_kind {
    const char *name; /* "accepted", … */
    enum intake_result counted_as;
    const char *refusal; /* for the log; NULL: it is stored */
};

const struct outcome_kind *submission_outcome_kind(enum accept_outcome outcome);
/* Neither refused nor failed. */
bool submission_item_is_stored(const struct submission_item *item);
