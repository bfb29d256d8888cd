/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The request body of `sendSignal`, byte for byte as SEEK prints it (developer.seek.com, use case
 * "application complete signal"; variables as an object, unused ones left out).
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"

/* Appends {"query":…,"variables":{"input":{"typeCode":"ApplicationComplete","token":…,
 * "timestamp":…}}}. On failure part of it may be there. */
MUST_CHECK bool mutation_write(struct buffer *body, const char *seek_token, int64_t timestamp_ms,
                               struct error *error);

/* SEEK's documented query that needs no credentials: {"query":"{ version }"}. */
extern const char mutation_version_query[];
