/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Records finished attempts in the store, and keeps them until that is certain: what the connection
 * may have lost is sent again. While one batch is on its way the next one gathers.
 *
 * Repeating is harmless: the store does nothing for a generation that has moved on.
 *
 * Owns:    the list of what is on its way.
 * Threads: one, the worker's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#include "service/outbound/attempt.h"
#include "service/outbound/worker_shared.h"
#include "service/store/store.h"

struct recorder {
    struct worker_shared *shared; /* borrowed, as the next: outlive us */
    struct attempts *attempts;
    struct attempt **sent;    /* owned; the batch on its way */
    struct settlement *batch; /* owned */
    size_t sent_count;        /* 0: none is */
    bool is_pausing;          /* the store is asked to */
    int64_t pause_at_ms;      /* after a refusal: it is not asked again before */
    int64_t rest_until_ms;    /* the same, of outcomes */
    size_t undone_count;      /* finished ones whose shard is away: alone they wait */
    int64_t retry_at_ms;      /* until then */
};

MUST_CHECK bool recorder_init(struct recorder *recorder, struct worker_shared *shared,
                              struct attempts *attempts, struct error *error);
void recorder_fini(struct recorder *recorder);
/* Sends what is finished, unless a batch is on its way already. Called each turn while the store is
 * ready. */
void recorder_turn(struct recorder *recorder, struct store *store, int64_t now_ms);
/* The longest wait until that turn; -1: no limit. */
int64_t recorder_timeout_ms(const struct recorder *recorder, int64_t now_ms);
