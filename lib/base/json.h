/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Strict JSON (RFC 8259) over json-c: what json-c would forgive is refused here.
 *
 * A document is refused for: trailing bytes, comments, a raw NUL, an escaped NUL, control
 * characters in strings, invalid UTF-8, a depth over `JSON_DEPTH_MAX`. Repeated members are found
 * by json_repeats_member, since json-c keeps the last one silently.
 *
 * Owns:    a struct json owns its tree; a `const struct json_value *` is borrowed from it.
 * Threads: one at a time.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buffer.h"
#include "lib/base/error.h"
#include "lib/base/json_scanner.h"
#include "lib/base/ownership.h"
#include "lib/base/utf8.h"

/* What a tree takes beside its texts: `[{},{},…` becomes one of some hundred times its size. */
enum { JSON_DEPTH_MAX = 16, JSON_TREE_BYTES_MAX = 16 * 1024 * 1024 };

struct json;
struct json_value; /* never defined: a json-c object seen from outside */

enum json_type { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* A string inside a tree: borrowed, NUL-terminated, without inner NULs. */
struct json_text {
    const char *bytes;
    size_t length;
};

/* NULL and `error` (ERROR_INVALID with what and at which byte, or ERROR_MEMORY). `text` is borrowed
 * for the call and need not be terminated. */
MUST_CHECK struct json *json_parse(const char *text, size_t length, struct error *error);
void json_destroy(struct json *json); /* accepts NULL */
DEFINE_AUTO(json);

const struct json_value *json_root(const struct json *json);
enum json_type json_type(const struct json_value *value); /* NULL counts as JSON_NULL */

/* Objects. NULL when absent; a member that is there and null is a value of JSON_NULL, told apart by
 * json_has_member. */
const struct json_value *json_member(const struct json_value *object, const char *name);
bool json_has_member(const struct json_value *object, const char *name);
/* False when absent or not a string. */
bool json_member_text(const struct json_value *object, const char *name, struct json_text *out);
/* False too for a fraction, an exponent or more than 64 bits. */
bool json_member_integer(const struct json_value *object, const char *name, int64_t *out);
/* The nearest double, whatever way the number is written. */
bool json_member_number(const struct json_value *object, const char *name, double *out);
bool json_text(const struct json_value *value, struct json_text *out);
bool json_is_true(const struct json_value *value);

/* Members in the order of the document: false past the last. */
bool json_member_at(const struct json_value *object, size_t index, const char **out_name,
                    const struct json_value **out_value);

size_t json_array_length(const struct json_value *array);
size_t json_member_count(const struct json_value *object);
const struct json_value *json_array_item(const struct json_value *array, size_t index);

/* Whether any object of the document that has `name` as a member has it twice. `text` must be a
 * document that json_parse accepted. */
bool json_repeats_member(const char *text, size_t length, const char *name);

/* An array read item by item, each a tree of its own, so that a long one takes no more memory than
 * its largest item. False: it is no array. */
MUST_CHECK bool json_items_open(struct json_scanner *items, const char *text, size_t length);
/* The next item with its text; NULL behind the last, when the whole text was a document. False and
 * `error`: it is none. */
MUST_CHECK bool json_items_next(struct json_scanner *items, struct json **out,
                                const char **out_text, size_t *out_length, struct error *error);

/* Appends the value as compact JSON; numbers as they were written. `buffer` is unchanged on
 * failure. */
MUST_CHECK bool json_write(struct buffer *buffer, const struct json_value *value,
                           struct error *error);

/* Writing without a tree: appends a quoted, escaped JSON string. `text` must be UTF-8; what is not
 * is replaced by U+FFFD, so that the result is always valid. */
MUST_CHECK bool json_append_string(struct buffer *buffer, const char *text, size_t length,
                                   struct error *error);
