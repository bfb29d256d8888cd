/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * One host name turned into addresses in the background, by a thread that nobody waits for:
 * getaddrinfo has no time-out and may take half a minute.
 *
 * A name has at most one thread at work in the process. Who asks while it works shares its answer,
 * and an answer that comes after all have given up is kept for the next who asks: so a slow answer
 * is used in the end, however short the patience of each attempt is.
 *
 * Owns:    the addresses. An abandoned lookup goes on. The event loop is borrowed and outlives it.
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
/* FOUND gives the addresses, which others may read too, until name_lookup_destroy. */
enum name_lookup_status name_lookup_finish(struct name_lookup *lookup,
                                           const struct addrinfo **out_addresses,
                                           struct error *error);
