/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Whether sending stands still, by what Redis and this process's workers show.
 *
 * Owns: what it has seen so far. Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/outbound/sending_gate.h"
#include "service/store/calls/census.h"
#include "service/store/calls/notify.h"

struct access_token;
struct worker_pool;

enum {
    STANDING_TROUBLE_MS = 30000, /* no access token, or SEEK fails: it may be over soon */
    STANDING_OVERDUE_MS = 60000,
};

struct standing_view {
    int64_t paused_at_ms;      /* 0: not paused */
    int64_t due;               /* signals that wait or are sent; -1: unknown, as all from Redis */
    int64_t oldest_due_age_ms; /* 0: none is late */
    int64_t token_failing_ms;  /* since when there is no access token; -1: there is one */
    int64_t breaker_open_ms;   /* since when SEEK fails; -1: it does not */
    int64_t delivered_at_ms;   /* the last signal of this process; 0: none */
    int64_t stalled_at_ms;     /* when sending was last seen standing still; 0: never */
    bool was_paused;           /* that was for a pause */
    const char *token_error, *sending_error; /* for people */
};

/* It goes on when nothing is in the way and that is proven: nothing waits, something was delivered
 * since, or the pause is over. Else what it does is unknown. `id` and `at_ms` stay unset. */
struct store_change standing_judge(const struct standing_view *view);

/* What is needed for that judgement over and over. */
struct sending_watch {
    struct sending_gate *gate; /* borrowed, as the next two: outlive it */
    struct access_token *token;
    struct worker_pool *workers;
    struct standing_view view;
    int64_t breaker_open_at_ms; /* monotonic; 0: closed */
    char token_error[256], sending_error[SENDING_FAILURE_BYTES];
};

void sending_watch_init(struct sending_watch *watch, struct sending_gate *gate,
                        struct access_token *token, struct worker_pool *workers);
/* What Redis shows; NULL: nothing. */
void sending_watch_note(struct sending_watch *watch, const struct store_census *census);
/* Texts are valid until the next call. */
struct store_change sending_watch_judge(struct sending_watch *watch, int64_t now_ms);
