/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One host name turned into addresses in the background, by a thread of its own that nobody waits
 * for: getaddrinfo has no time-out and may take half a minute.
 *
 * Owns:    the addresses until they are taken. An abandoned lookup frees itself when its thread
 *          returns. The event loop is borrowed and outlives it.
 * Threads: one, the loop's.
 * Blocks:  never.
 */
#pragma once

#include <netdb.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/ownership.h"

struct event_loop;
struct name_lookup;

/* A numeric address is answered at once, without a thread. A poll of the loop ends when
 * name_lookup_finish has something to say. */
MUST_CHECK struct name_lookup *name_lookup_start(struct event_loop *loop, const char *host,
                                                 uint16_t port, struct error *error);
void name_lookup_destroy(struct name_lookup *lookup); /* at any time; accepts NULL */
DEFINE_AUTO(name_lookup);

enum name_lookup_status { NAME_LOOKUP_PENDING, NAME_LOOKUP_FOUND, NAME_LOOKUP_FAILED };
/* FOUND gives the addresses, to be freed with freeaddrinfo, once. */
enum name_lookup_status name_lookup_finish(struct name_lookup *lookup,
                                           struct addrinfo **out_addresses, struct error *error);
