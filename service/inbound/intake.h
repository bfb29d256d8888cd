/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One intake thread: its loop, its HTTP server, its store, and the requests it serves.
 *
 * Owns:    all of these, and the thread.
 * Threads: create, start, join, destroy from main; stop, status and heartbeat from any.
 * Blocks:  join until the thread has ended.
 */
#pragma once

#include "lib/base/heartbeat.h"
#include "lib/base/ownership.h"

#include "service/inbound/inbound_metrics.h"
#include "service/inbound/intake_pool.h"

struct budget;
struct intake;

/* `listener` is taken, also on failure; the rest is borrowed and outlives the intake. */
MUST_CHECK struct intake *intake_create(unsigned index, const struct listener *take_listener,
                                        const struct intake_pool_options *options,
                                        struct metric *metrics, struct budget *bodies,
                                        struct error *error);
MUST_CHECK bool intake_start(struct intake *intake, struct error *error);
/* No new connections; what is open is answered until `deadline_ms`, then the thread ends. */
void intake_stop(struct intake *intake, int64_t deadline_ms);
void intake_join(struct intake *intake);    /* after stop; nothing if it was not started */
void intake_destroy(struct intake *intake); /* joined before; accepts NULL */
DEFINE_AUTO(intake);

struct intake_status {
    bool is_connected; /* to Redis, ever */
    size_t connections;
    bool is_full; /* as many as they may be */
    size_t open_requests, waiters;
    struct store_health health;
};
void intake_status(struct intake *intake, struct intake_status *out);
const struct heartbeat *intake_heartbeat(const struct intake *intake);
/* The gauges of what Redis holds are kept fresh by this thread: census.h. */
void intake_ask_census(struct intake *intake);
