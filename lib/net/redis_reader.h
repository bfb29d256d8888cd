/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The replies in a stream of bytes, by hiredis.
 *
 * Owns:    the bytes of the reply that is not complete yet, at most 64 MiB.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_client.h"

struct redis_reader;

MUST_CHECK struct redis_reader *redis_reader_create(struct error *error);
void redis_reader_destroy(struct redis_reader *reader); /* accepts NULL */
DEFINE_AUTO(redis_reader);

MUST_CHECK bool redis_reader_feed(struct redis_reader *reader, const char *bytes, size_t length,
                                  struct error *error);
/* The next complete reply, NULL when there is none yet; false when the peer does not speak Redis's
 * protocol. */
MUST_CHECK bool redis_reader_next(struct redis_reader *reader, struct redis_reply **out,
                                  struct error *error);
