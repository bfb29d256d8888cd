/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The private Redis: a `redis-server` child on a unix socket in the data directory, append-only
 * with appendfsync always. One that an earlier life left there is ended first; it is started again
 * when it dies, and stopped last. It gets SIGTERM when the thread that started it ends, so a
 * service killed with -9 leaves none behind. Ending it in any way loses nothing that was answered.
 *
 * Owns:    the child process.
 * Threads: one (main); embedded_redis_url: any.
 * Blocks:  start while an earlier one ends, stop while this one does, both at most twenty seconds;
 * turn only for the milliseconds of a start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

struct embedded_redis;

/* Creates the directory (0700) and starts the server. ERROR_CONFIG with the package to install when
 * there is no redis-server or the path is too long for a unix socket in it, ERROR_IO when the
 * directory cannot be used or another service owns it. Does not wait for loading. */
MUST_CHECK struct embedded_redis *embedded_redis_start(const char *data_dir, struct error *error);
/* Ends it; accepts NULL. */
void embedded_redis_destroy(struct embedded_redis *redis);
DEFINE_AUTO(embedded_redis);

/* ERROR_IO while it is dead for want of room on its disk. */
MUST_CHECK bool embedded_redis_url(const struct embedded_redis *redis, struct redis_url *out,
                                   struct error *error);
/* For main's loop: a pidfd, readable when the child has died (-1 between lives), and the turn,
 * which starts it again with backoff and logs each change of state once. */
int embedded_redis_fd(const struct embedded_redis *redis);
int64_t embedded_redis_timeout_ms(const struct embedded_redis *redis, int64_t now_ms);
void embedded_redis_turn(struct embedded_redis *redis, int64_t now_ms);
