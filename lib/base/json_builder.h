/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Inside of json: from tokens to a tree of json-c, which grows up to JSON_TREE_BYTES_MAX.
 *
 * Owns:    the tree, until its root is taken.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/json.h"

struct json_object;

struct json_builder {
    struct json_object *root; /* owned */
    /* Borrowed: the first is the root, each is in the one before. */
    struct json_object *open[JSON_DEPTH_MAX];
    size_t depth;
    struct buffer name; /* of the member whose value comes next */
    struct buffer text; /* of the string or number being made */
    size_t cost;        /* of what was read, in bytes of memory */
};

/* `length`: of the document. */
void json_builder_init(struct json_builder *builder, size_t length);
void json_builder_fini(struct json_builder *builder);
/* One value, up to its last token; `first` is its first token when that was read already, or NULL.
 */
MUST_CHECK bool json_builder_read(struct json_builder *builder, struct json_scanner *scanner,
                                  const struct json_token *first, struct error *error);
