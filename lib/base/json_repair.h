/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * JSON of others, made such that json_parse takes it: for answers whose meaning must not be lost
 * over a character that nobody looks at. Posts are read strictly, since their sender can
 * send them again.
 *
 * A byte order mark in front is left out. In strings U+FFFD takes the place of what is no UTF-8, of
 * control characters, of NUL and of half a surrogate pair, written or escaped. Arrays and objects
 * that are nested deeper than `depth_max` become null. What is wrong with the grammar stays so.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/json.h"

/* The document as json_parse takes it, else as it is repaired; NULL and `error` as json_parse. */
MUST_CHECK struct json *json_parse_repaired(const char *text, size_t length, unsigned depth_max,
                                            struct error *error);
/* Appends to `out`, which needs up to three times the room. */
MUST_CHECK bool json_repair(const char *text, size_t length, unsigned depth_max, struct buffer *out,
                            struct error *error);
