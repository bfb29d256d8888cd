/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The content coding gzip (RFC 1952) in its simplest form: stored, not compressed.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include "lib/base/buffer.h"

/* Appends `length` bytes of `bytes` as one gzip member. False: no memory. */
MUST_CHECK bool gzip_append_stored(struct buffer *buffer, const char *bytes, size_t length,
                                   struct error *error);
