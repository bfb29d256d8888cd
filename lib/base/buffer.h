/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Bytes that grow up to a named maximum. Always NUL-terminated after `length`, so that text can be
 * read in place; the terminator does not count.
 *
 * Owns:    its bytes.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

struct buffer {
    char *bytes; /* owned; never NULL after buffer_init: "" until something is added */
    size_t length;
    size_t capacity; /* 0 while nothing is allocated */
    size_t length_max;
    bool is_fixed; /* the bytes are borrowed: see buffer_init_fixed */
};

void buffer_init(struct buffer *buffer, size_t length_max);
/* Over `storage` of `size` bytes, which the caller owns: never allocates, holds size - 1 bytes. */
void buffer_init_fixed(struct buffer *buffer, char *storage, size_t size);
void buffer_fini(struct buffer *buffer); /* usable again afterwards, empty, the same maximum */
/* Keeps the allocation. */
void buffer_clear(struct buffer *buffer);
/* Back to an earlier, smaller length. */
void buffer_truncate(struct buffer *buffer, size_t length);

/* Each adds at the end. ERROR_FULL at the maximum, ERROR_MEMORY; the buffer is unchanged then. */
MUST_CHECK bool buffer_append(struct buffer *buffer, const void *bytes, size_t length,
                              struct error *error);
MUST_CHECK bool buffer_append_text(struct buffer *buffer, const char *text, struct error *error);
/* Several texts, closed by NULL: what a format of %s alone would give, at a fraction of the cost.
 */
MUST_CHECK bool buffer_append_texts(struct buffer *buffer, struct error *error, ...)
    __attribute__((sentinel));
MUST_CHECK bool buffer_append_integer(struct buffer *buffer, int64_t number, struct error *error);
MUST_CHECK bool buffer_append_format(struct buffer *buffer, struct error *error, const char *format,
                                     ...) __attribute__((format(printf, 3, 4)));
/* Removes `length` bytes from the front. */
void buffer_consume(struct buffer *buffer, size_t length);
/* Overwrites the content before forgetting it: for credentials. */
void buffer_wipe(struct buffer *buffer);
