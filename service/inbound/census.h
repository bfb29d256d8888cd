/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Keeps the gauges of what Redis holds fresh: due, dead, oldest age, pause. Redis is asked once per
 * CENSUS_INTERVAL_MS as long as somebody reads them, so that a reader never waits for Redis and
 * many readers cost no more than one. A value that is not known, or not any longer, is
 * METRIC_UNKNOWN, and a gauge of its own says so.
 *
 * Owns:    nothing; store and metrics are borrowed and outlive it.
 * Threads: census_ask from any, the rest from the loop's. Blocks: never.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct metric;
struct store;

enum {
    CENSUS_INTERVAL_MS = 5000,
    CENSUS_ASKED_FOR_MS = 600000, /* longer than any usual interval between two scrapes */
};

struct census {
    struct store *store;
    struct metric *metrics;
    int64_t next_at_ms;
    bool is_under_way;
    bool is_known;
    _Atomic int64_t asked_until_ms; /* any thread */
};

void census_init(struct census *census, struct store *store, struct metric *metrics);
/* True: nobody had for long, so that the loop may rest and is to be woken. */
bool census_ask(struct census *census, int64_t now_ms);
/* The longest wait until census_turn; -1: no limit. */
int64_t census_timeout_ms(const struct census *census, int64_t now_ms);
void census_turn(struct census *census, int64_t now_ms);
