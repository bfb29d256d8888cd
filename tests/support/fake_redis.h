/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * A peer on a loopback port that says exactly what a test wants, well-formed or not. The test plays
 * both sides in turn: the kernel's backlog takes the connection, fake_redis_accept picks it up.
 *
 * Owns:    the listening socket and one connection.
 * Threads: one at a time.
 * Blocks:  up to ten seconds for what the other side must have done already; then the test aborts.
 */
#pragma once

/* What a fit Redis answers to what the store tries, between INFO's and CONFIG's answers and SCRIPT
 * LOAD's: the trial, EVALSHA, census, layout, accept, claim, settle, forget and DEL. */
#define FAKE_REDIS_TRIED FAKE_REDIS_TRIED_OF("1")
/* In one of so many shards: a digit. */
#define FAKE_REDIS_TRIED_OF(shards)                                                                \
    "*2\r\n$0\r\n\r\n$0\r\n\r\n"                                                                   \
    "-NOSCRIPT No matching script.\r\n"                                                            \
    "*4\r\n:0\r\n:0\r\n:0\r\n$1\r\n0\r\n"                                                          \
    "*4\r\n$1\r\n2\r\n$1\r\n" shards "\r\n$0\r\n\r\n$0\r\n\r\n"                                    \
    "*1\r\n:0\r\n"                                                                                 \
    "*0\r\n"                                                                                       \
    "*1\r\n:0\r\n"                                                                                 \
    ":1\r\n:1\r\n"

#include <stddef.h>

#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

struct fake_redis;

struct fake_redis *fake_redis_start(void);
void fake_redis_stop(struct fake_redis *fake); /* accepts NULL */
static inline void fake_redis_destroy(struct fake_redis *fake)
{
    fake_redis_stop(fake);
}
DEFINE_AUTO(fake_redis);

void fake_redis_url(const struct fake_redis *fake, struct redis_url *out);

void fake_redis_accept(struct fake_redis *fake);
/* Reads until `text` was seen, and forgets everything up to it. */
void fake_redis_must_hear(struct fake_redis *fake, const char *text);
/* How often `text` was said and not heard yet; forgets everything. What was sent before is there.
 */
size_t fake_redis_count(struct fake_redis *fake, const char *text);
void fake_redis_say(struct fake_redis *fake, const char *bytes, size_t length);
void fake_redis_say_text(struct fake_redis *fake, const char *text);
void fake_redis_hang_up(struct fake_redis *fake);
int fake_redis_end(struct fake_redis *fake); /* how the other side closed: 0 in order, ECONNRESET */
void fake_redis_reset(struct fake_redis *fake); /* the other side sees ECONNRESET */
