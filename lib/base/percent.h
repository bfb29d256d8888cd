/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Percent-encoding as RFC 3986 section 2.1 has it; '+' stays '+'.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum percent_outcome {
    PERCENT_DECODED,
    PERCENT_BROKEN,   /* an escape that is cut or not hexadecimal */
    PERCENT_TOO_LONG, /* the result, terminator included, does not fit */
};

/* Decodes once. A NUL may be among what is decoded: then `out_length` is more than strlen says. */
enum percent_outcome percent_decode(const char *text, size_t length, char *out, size_t size,
                                    size_t *out_length);
