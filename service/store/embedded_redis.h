/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The private Redis: a `redis-server` child on a unix socket in the data directory, append-only with appendfsync always.
 * It is found again when one from an earlier life still runs there, started again when it dies, stopped last.
 *
 * Owns:    the child process.
 * Threads: one (main).
 * Blocks:  start up to its time-out while Redis loads; stop while it saves; turn never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

struct embedded_redis;

/* Creates the directory (0700) and starts the server. ERROR_CONFIG with the package to install when there is no
 * redis-server, ERROR_IO when the directory cannot be used or another service owns it. Does not wait for loading. */
MUST_CHECK struct embedded_redis *embedded_redis_start(const char *data_dir, struct error *error);
/* Asks it to save and ends it; accepts NULL. */
void embedded_redis_destroy(struct embedded_redis *redis);
DEFINE_AUTO(embedded_redis);

void embedded_redis_url(const struct embedded_redis *redis, struct redis_url *out);
/* For main's loop: a pidfd, readable when the child has died (-1 between lives), and the turn, which starts it again with
 * backoff and logs each change of state once. */
int embedded_redis_fd(const struct embedded_redis *redis);
int64_t embedded_redis_timeout_ms(const struct embedded_redis *redis, int64_t now_ms);
void embedded_redis_turn(struct embedded_redis *redis, int64_t now_ms);
