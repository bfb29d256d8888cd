/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One search for the master: asks the sentinels of a URL in turn, each at most once. One that is
 * away, silent or does not know is given up: its name, each of its addresses and its answer have
 * 300 ms.
 *
 * Owns:    the connection to the sentinel that is asked; the event loop that it is watched in is
 *          borrowed and outlives it.
 * Threads: one, the loop's.
 * Blocks:  never; names are resolved in the background.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"
#include "lib/net/redis_url.h"
#include "lib/net/tls.h"

struct event_loop;
struct redis_sentinel;

/* `url` has sentinels and outlives the search; `first` is the number of the one to begin with. */
MUST_CHECK struct redis_sentinel *redis_sentinel_start(const struct redis_url *url,
                                                       const struct tls_files *tls, size_t first,
                                                       struct event_loop *loop, int64_t now_ms,
                                                       struct error *error);
void redis_sentinel_destroy(struct redis_sentinel *search); /* accepts NULL */
DEFINE_AUTO(redis_sentinel);

/* Call it once at the start, after each poll of the loop and when the deadline passed.
 * STREAM_DONE: the master is known. STREAM_FAILED: no sentinel knows it, `error` says why. */
enum stream_status redis_sentinel_turn(struct redis_sentinel *search, int64_t now_ms,
                                       struct error *error);
const struct redis_address *redis_sentinel_master(const struct redis_sentinel *search);
size_t redis_sentinel_answered(const struct redis_sentinel *search); /* the number of the one */
int64_t redis_sentinel_deadline_ms(const struct redis_sentinel *search);
