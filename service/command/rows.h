/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Lines of a report for a person: a label, and what is said of it. What would steer the terminal is
 * escaped (lib/base/terminal.h). Without memory a line is missing.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/json.h"

enum { ROWS_BYTES_MAX = 1 << 20 };

/* "Redis         ready"; a line without label continues the one before. */
void row_add(struct buffer *out, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Text without a label and without an end of line. */
void row_say(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A member of the document that is reported; "" and -1 for one that is absent or null. */
const char *row_text(const struct json_value *object, const char *name);
int64_t row_number(const struct json_value *object, const char *name);
