/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * The `query` text of a GraphQL request, as far as this stand-in needs it: one operation with one
 * root field and at most one variable. Names, white space, commas, comments and aliases are free.
 *
 * Owns:    nothing; what is read points into the text.
 * Threads: any.
 * Blocks:  never.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/json.h"

struct graphql_document {
    bool is_mutation;
    struct json_text response_key; /* the alias, or the field's name; not NUL-terminated */
    struct json_text field;
    struct json_text argument;          /* length 0: none */
    struct json_text argument_variable; /* without the dollar sign */
    struct json_text variable;          /* the declared one; length 0: none */
    struct json_text variable_type;     /* its name, without the exclamation mark */
    bool is_variable_required;
};

/* False and `reason` (static) when the text is anything else. */
bool graphql_document_parse(const char *text, size_t length, struct graphql_document *out,
                            const char **reason);
bool graphql_name_is(struct json_text name, const char *expected);
