/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What one intake thread has for the spool: group commit to the disk, as batch.h does it to Redis.
 * One order is out at a time; what comes meanwhile is gathered for the next one.
 *
 * Owns:    copies of the events, and the places of those who wait for them.
 * Threads: one, its loop's.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

#include "service/inbound/batch.h"
#include "service/spool/spool.h"

struct event_loop;
struct spool_batch;

MUST_CHECK struct spool_batch *spool_batch_create(struct spool *spool, struct event_loop *loop,
                                                  struct error *error);
/* After spool_stop: what was not written ends STORE_UNAVAILABLE. Accepts NULL. */
void spool_batch_destroy(struct spool_batch *batch);
DEFINE_AUTO(spool_batch);

struct spool *spool_batch_spool(const struct spool_batch *batch);
/* ERROR_FULL or ERROR_MEMORY: `done` will not be called. */
MUST_CHECK bool spool_batch_add(struct spool_batch *batch, const struct drain_record *record,
                                batch_done done, void *context, size_t index, struct error *error);
/* An order is being written and the next one is begun: more had better wait where it is. */
bool spool_batch_is_busy(const struct spool_batch *batch);
/* Tells what is written, submits what was gathered. To be called in each turn of the loop. */
void spool_batch_turn(struct spool_batch *batch);
