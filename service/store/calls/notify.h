/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The next notification for the receiver, which one of all processes sends, and the record that it
 * was taken. The dead are the queue; notify.lua says how.
 *
 * Owns: nothing. Threads: the store's. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/store/application.h"
#include "service/store/call_failure.h"
#include "service/store/calls/place.h"

struct store;

/* What sending does; as a change: what it began to do. */
enum store_sending { SENDING_UNKNOWN, SENDING_STALLED, SENDING_RESUMED };

struct store_change {
    enum store_sending to; /* SENDING_UNKNOWN: nothing has changed */
    const char *id;        /* texts are borrowed for the call */
    const char *reason, *detail;
    int64_t at_ms; /* of an answer: when it was seen first */
};

struct store_notify_query {
    const char *asker;
    bool is_of_first;      /* the first shard alone is asked; nothing was told of another one */
    int64_t lease_ms;      /* how long nobody else tells; 0: the asker stops */
    int64_t wanted_for_ms; /* since when it is to tell: nobody is told of who died before */
    /* What was told since the last answer. */
    struct store_place told; /* of the dead; id NULL: none */
    int64_t told_died_ms;
    const char *told_change; /* NULL: none */
    /* What sending does now, with a new id in case that is a change. */
    struct store_change sending;
};

struct store_notification {
    bool is_told; /* what was told is recorded, or was nothing; false: its shard is away */
    bool is_ours; /* else another process tells, and the rest says nothing */
    struct store_change change; /* comes first */
    int64_t untold;             /* dead that may not have been told yet: at most so many */
    int64_t untold_age_ms;      /* how long the first of them has been dead; -1: unknown */
    bool has_dead;
    struct store_place place; /* of `dead`, the first of them */
    struct listed dead;
};

typedef void (*store_notify_done)(void *context, const struct store_failure *failure,
                                  const struct store_notification *notification);
MUST_CHECK bool store_notify(struct store *store, const struct store_notify_query *query,
                             store_notify_done done, void *context, struct error *error);
