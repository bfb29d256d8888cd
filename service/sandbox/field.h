/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * Plain structs as JSON objects: a table says which member goes to which field, and both
 * directions, checks and error messages follow from it.
 *
 * Owns: nothing. Threads: any. Blocks: never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/json.h"

enum field_type {
    FIELD_INTEGER,      /* int64_t, `min` to `max` */
    FIELD_FRACTION,     /* double, `min` to `max` */
    FIELD_BOOLEAN,      /* bool */
    FIELD_TRUE_OR_NULL, /* bool: whether the member is true */
    FIELD_TEXT,         /* char[max + 1]; null stands for "" */
    FIELD_HEADER,       /* char[max + 1]: printable ASCII, or a number taken as text */
    FIELD_CHOICE,       /* unsigned: which of `choices` */
};

struct field {
    const char *name;
    enum field_type type;
    bool is_secret; /* read, never written */
    size_t offset;
    int64_t min, max;
    const char *const *choices; /* ends with NULL */
};

/* Reads the members that are there over what `out` holds already. ERROR_INVALID, naming the
 * member, for one that is unknown or has a wrong value; `out` may then be half-filled. */
MUST_CHECK bool fields_read(const struct field *fields, size_t count,
                            const struct json_value *object, void *out, struct error *error);
/* Appends `"name":value,…` without braces. */
MUST_CHECK bool fields_write(const struct field *fields, size_t count, const void *in,
                             struct buffer *buffer, struct error *error);
