/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Moments as HTTP writes them in headers: RFC 9110 section 5.6.7, with the two obsolete forms.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since 1970. False when `text` is anything else, or a day that no month has. */
bool http_date_parse(const char *text, int64_t *out_ms);
