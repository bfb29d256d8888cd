/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The headers of one request over HTTP/2 in the order of their arrival, ":path" among them.
 *
 * Owns:    its texts.
 * Threads: one at a time. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/ownership.h"

struct header_list {
    struct buffer texts; /* name, NUL, value, NUL, … */
};

void header_list_init(struct header_list *headers, size_t bytes_max);
void header_list_fini(struct header_list *headers);
/* There is no NUL in either. False: there are too many bytes, or memory is short. */
MUST_CHECK bool header_list_add(struct header_list *headers, const void *name, size_t name_length,
                                const void *value, size_t value_length);
/* The first value of this name in any case; NULL: absent. */
const char *header_list_find(const struct header_list *headers, const char *name);
