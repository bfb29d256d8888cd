/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * RFC 4648 section 4, strictly: padded, nothing but the alphabet, unused bits zero.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Writes 4 digits for each 3 bytes begun, and a NUL. */
void base64_encode(const void *bytes, size_t length, char *out);
/* Writes at most 3 bytes for each 4 of `text` to `out`. False when `text` is anything else. */
bool base64_decode(const char *text, size_t length, char *out, size_t *out_length);
