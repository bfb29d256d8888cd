/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Text as a terminal, a pager or a log viewer may be given it: what steers instead of showing is
 * escaped as JSON does it (\u001b). These are control characters (C0, DEL, C1), characters that
 * change the direction of writing (U+202E and similar), other line ends (U+2028, U+2029) and
 * invisible characters (zero width characters, tags). A peer could forge lines or hide words with
 * them.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"

bool terminal_shows(uint32_t character);
/* Whether the whole text is valid UTF-8 that terminal_shows. */
bool terminal_shows_all(const char *text, size_t length);
/* Appends the text, what may not be shown as \uXXXX and what is no UTF-8 as U+FFFD. */
MUST_CHECK bool terminal_append(struct buffer *out, const char *text, size_t length,
                                struct error *error);
/* \uXXXX; two of them, as in JSON, for characters over U+FFFF. */
MUST_CHECK bool terminal_append_escape(struct buffer *out, uint32_t character, struct error *error);
