/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The log lines of a start (where it listens, and that it is ready) and of a clean end.
 *
 * Owns: nothing. Threads: main. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct config;
struct intake_pool;
struct ops_server;
struct service_view;
struct worker_pool_end;

/* Where they really listen. */
void announce_listening(const struct config *config, const struct intake_pool *intake,
                        const struct ops_server *ops);
/* Whether it is; says so then. */
bool announce_ready(const struct service_view *view, int64_t started_at_ms /* monotonic */);
void announce_stopped(const struct worker_pool_end *end);
