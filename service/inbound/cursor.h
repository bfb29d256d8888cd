/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Where a listing or a replay goes on, as one word for the caller to send back: numbers and an
 * application id in base64url, which needs no escape in a URL. Only to be taken as a whole; a
 * forged one leads to another place, not to more rights.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"

#include "service/domain/event.h"

enum { CURSOR_NUMBERS_MAX = 4 };

struct cursor {
    int64_t numbers[CURSOR_NUMBERS_MAX]; /* none is negative */
    char id[APPLICATION_ID_BYTES_MAX + 1];
};

/* Appends the first `count` numbers and the id. */
MUST_CHECK bool cursor_write(struct buffer *out, const int64_t numbers[], size_t count,
                             const char *id, struct error *error);
/* False for anything that cursor_write with as many numbers did not write. */
bool cursor_parse(const char *text, size_t count, struct cursor *out);
