/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Notifies a receiver when an application dies, and when sending stalls or resumes. Redis keeps
 * which notifications wait and which were taken (notify.lua), so that none is lost with the
 * process, and lets one process of all send them.
 *
 * Owns:    its thread, with a store and the way to the receiver.
 * Threads: create, start, stop, destroy from main; everything else from any.
 * Blocks:  stop up to its deadline and NOTIFIER_GRACE_MS; everything else never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/heartbeat.h"
#include "lib/base/metrics.h"
#include "lib/base/ownership.h"

#include "service/notification/receiver.h"
#include "service/store/store.h"

struct access_token;
struct notifier;
struct sending_gate;
struct worker_pool;

enum { NOTIFIER_GRACE_MS = 500 };

struct notifier_options { /* borrowed: outlives the notifier */
    struct receiver_options receiver;
    struct store_options store; /* `role` is set here */
    const char *source;         /* REDIS_PREFIX */
    struct sending_gate *gate;
    struct access_token *access_token;
    struct worker_pool *workers;
};

MUST_CHECK struct notifier *notifier_create(const struct notifier_options *options,
                                            struct error *error);
MUST_CHECK bool notifier_start(struct notifier *notifier, struct error *error);
/* What waits is told until the deadline, as long as the receiver takes it; then joins. Accepts
 * NULL.
 */
void notifier_stop(struct notifier *notifier, int64_t deadline_ms);
void notifier_destroy(struct notifier *notifier); /* stop first; accepts NULL */
DEFINE_AUTO(notifier);

const struct heartbeat *notifier_heartbeat(const struct notifier *notifier);
/* The rows of /metrics about notifications. */
struct metric_table notifier_metrics(const struct notifier *notifier); /* accepts NULL: none */

struct notifier_status {
    bool is_ours;                 /* this process tells; else the next two are unknown */
    int64_t waiting;              /* notifications that the receiver has not taken; -1: unknown */
    int64_t oldest_age_ms;        /* of these; -1: unknown */
    int64_t last_delivered_at_ms; /* wall, by this process; 0: none */
    char reason[ERROR_MESSAGE_BYTES]; /* why it does not take them; "": it does */
};
void notifier_status(struct notifier *notifier, struct notifier_status *out);
