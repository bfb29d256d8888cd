/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Moments as text: RFC 3339 section 5.6, between 1970 and 9999.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RFC3339_BYTES = sizeof "9999-12-31T23:59:59.999Z" };

/* A `date-time` with any offset, to milliseconds since 1970; finer digits are cut. Seconds may be
 * missing, as Java's OffsetDateTime leaves out ":00". False when `text` is anything else, or a
 * moment outside of those years in UTC. A leap second :60 is read as :59.999. */
bool rfc3339_parse(const char *text, size_t length, int64_t *out_ms);
/* Always UTC with milliseconds and Z: the form of SEEK's samples. The nearest moment that can be
 * written for one that cannot. */
void rfc3339_format(int64_t wall_ms, char text[RFC3339_BYTES]);
