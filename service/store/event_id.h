/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * An event's id as it lies in Redis: a UUID that ends in eight zeros is kept in 12 bytes.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stddef.h>

#include "service/domain/delivery.h"

enum { EVENT_ID_SHORT_BYTES = 12 };

/* Returns the bytes written; 0 when the id is no UUID that ends in eight zeros, in lower case. */
size_t event_id_shorten(const char *event_id, unsigned char out[EVENT_ID_SHORT_BYTES]);

/* Back to text, from what a script answers: a short one, or the text of one that is no UUID, which
 * is cut at the size of `out`. */
void event_id_read(const char *stored, size_t length, char out[ATTEMPT_ID_BYTES]);
