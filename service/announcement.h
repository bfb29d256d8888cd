/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * What the log says of a start, where it listens, and that it is ready; and of a clean end.
 *
 * Owns: nothing. Threads: main. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct config;
struct service_view;
struct worker_pool_end;

/* The ports are those really bound. */
void announce_listening(const struct config *config, uint16_t api_port, uint16_t ops_port);
/* Whether it is; says so then. */
bool announce_ready(const struct service_view *view, int64_t started_at_ms /* monotonic */);
void announce_stopped(const struct worker_pool_end *end);
