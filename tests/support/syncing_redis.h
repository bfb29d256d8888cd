/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A fake Redis 8 that syncs its file once a second, with a driven store that has found that out.
 *
 * Owns:    nothing: peer and driver are the test's.
 * Threads: one at a time.
 * Blocks:  until the store is ready.
 */
#pragma once

#include "tests/support/fake_redis.h"
#include "tests/support/store_driver.h"

#define SYNCING_INFO "role:master\r\nmaxmemory:0\r\naof_enabled:1\r\nredis_version:8.0.2\r\n"

/* To an event, to a script that is not there, to the mark, and to WAITAOF. */
#define ACCEPTED "*3\r\n:1700000000000\r\n:1700000000000000\r\n:0\r\n"
#define NOT_KNOWN "-NOSCRIPT No matching script.\r\n"
#define MARKED ":1\r\n"
#define SYNCED "*2\r\n:1\r\n:0\r\n"
#define UNSYNCED "*2\r\n:0\r\n:0\r\n"

struct store_options options_demanding(const char *durability);
/* Starts the driver, with DURABILITY=fsync. */
void syncing_redis_drive(struct fake_redis *fake, struct driver *driver);
/* `replicas`: what it says about them to INFO, and to WAIT and WAITAOF. */
void syncing_redis_drive_with(struct fake_redis *fake, struct driver *driver, const char *demand,
                              const char *replicas[2]);
void driver_turn_for(struct driver *driver, int64_t duration_ms);
