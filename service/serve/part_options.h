/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The options of each part of the service, from the settings. The parts that a part works with are
 * left out: app.c has them.
 *
 * Owns:    nothing: texts and secrets are the config's.
 * Threads: any. Blocks: never. Errors: none.
 */
#pragma once

#include "service/inbound/intake_pool.h"
#include "service/outbound/access_token.h"
#include "service/outbound/sending_gate.h"
#include "service/outbound/worker_pool.h"

struct config;
struct redis_location;

/* How many descriptors all parts take at most, beside connections to LISTEN. `location` is set. */
size_t part_options_descriptors(const struct config *config, const struct redis_location *location);
struct access_token_options part_options_for_access_token(const struct config *config);
struct sending_gate_options part_options_for_gate(const struct config *config);
/* `location` outlives what is made with them. Without access token, gate and tracer. */
struct worker_pool_options part_options_for_workers(const struct config *config,
                                                    struct redis_location *location);
/* `location` outlives what is made with them. Without spool, TLS and view, and with no connections
 * yet. */
struct intake_pool_options part_options_for_intake(const struct config *config,
                                                   struct redis_location *location);
