/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The routes of the two listeners.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

#include "service/inbound/routes.h"

/* Everything. */
extern const struct route api_routes[];
extern const size_t api_route_count;
/* Probes and metrics only: the first rows of api_routes. */
extern const size_t ops_route_count;
