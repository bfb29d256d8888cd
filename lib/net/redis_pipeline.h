/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Commands and replies on one open stream: any number of commands on their way, each reply given to
 * the oldest.
 *
 * Owns:    the stream, what is not written yet, and the commands pending.
 * Threads: one, that of the stream's event loop.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"
#include "lib/net/stream.h"

struct redis_pipeline;

MUST_CHECK struct redis_pipeline *redis_pipeline_create(struct stream *take_stream,
                                                        struct error *error);
/* Pending commands end REDIS_LOST. Not from a callback; accepts NULL. */
void redis_pipeline_destroy(struct redis_pipeline *pipeline);
DEFINE_AUTO(redis_pipeline);

/* ERROR_FULL or ERROR_MEMORY: the command is not taken, the pipeline goes on. */
MUST_CHECK bool redis_pipeline_send(struct redis_pipeline *pipeline, size_t argument_count,
                                    const char *const arguments[], const size_t lengths[],
                                    redis_done done, void *context, struct error *error);

/* What the socket takes or has now, tried after each poll of the loop and, for what is urgent, at
 * any other time. False: the connection is of no use any more.
 * redis_pipeline_read calls the commands' callbacks, which may send and write. */
MUST_CHECK bool redis_pipeline_write(struct redis_pipeline *pipeline, struct error *error);
MUST_CHECK bool redis_pipeline_read(struct redis_pipeline *pipeline, struct error *error);
/* From within a callback: its reply is the caller's from now on. */
struct redis_reply *redis_pipeline_keep_reply(struct redis_pipeline *pipeline);

/* The loop's last poll found something to read. */
bool redis_pipeline_is_readable(const struct redis_pipeline *pipeline);
bool redis_pipeline_has_unwritten(const struct redis_pipeline *pipeline);
/* Something unwritten waits for a try, not for room in the socket. */
bool redis_pipeline_can_write(const struct redis_pipeline *pipeline);
/* When the oldest pending command was sent; INT64_MAX when there is none. */
int64_t redis_pipeline_oldest_ms(const struct redis_pipeline *pipeline);
/* Overwrites what was written, which may be a credential. Everything must be written. */
void redis_pipeline_wipe(struct redis_pipeline *pipeline);
