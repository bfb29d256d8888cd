/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One worker thread: claims what is due while the gate has places and there is an access token, has
 * it sent and recorded, and rests in between. Internal to the folder.
 *
 * Owns:    its thread, http_client, store and attempts.
 * Threads: wake and is_connected from any; the rest from the pool's owner.
 * Blocks:  join, up to its deadline.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/heartbeat.h"

#include "service/outbound/worker_shared.h"

struct worker;

/* The heartbeat is borrowed: it outlives the worker; the worker gives it its name. */
MUST_CHECK struct worker *worker_create(struct worker_shared *shared, unsigned index,
                                        struct heartbeat *heartbeat, struct error *error);
/* Not while its thread runs. Accepts NULL. */
void worker_destroy(struct worker *worker);

MUST_CHECK bool worker_start(struct worker *worker, struct error *error);
/* True when the thread has ended or was never started; false at the deadline. */
bool worker_join(struct worker *worker, int64_t deadline_ms);

void worker_wake(struct worker *worker); /* for a stop; for work, see due_watch.h */
bool worker_is_connected(const struct worker *worker);

enum { WORKER_RECORD_GRACE_MS = 2000 }; /* after the cut, to record what was cut */
