/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * json-c gives the tree, not the parser: its tokener (0.16) forgives much, and when an allocation
 * fails it crashes or leaves strings cut short without a word. So the scanner reads, and the tree
 * is built here with every step checked.
 */
#include "lib/base/json_builder.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_string.h"

/* json-c has a type of a function's name of json.h. */
#define json_type json_c_type
#include <json-c/json.h>
#undef json_type

void json_builder_init(struct json_builder *builder, size_t length)
{
    *builder = (struct json_builder){.root = NULL};
    buffer_init(&builder->name, length);
    buffer_init(&builder->text, length);
}

void json_builder_fini(struct json_builder *builder)
{
    json_object_put(builder->root);
    buffer_fini(&builder->name);
    buffer_fini(&builder->text);
}

/* Takes the object, also on failure. */
static bool builder_add(struct json_builder *builder, struct json_object *take_object,
                        struct error *error)
{
    if (builder->depth == 0) {
        assert(builder->root == NULL);
        builder->root = take_object;
        return true;
    }
    struct json_object *parent = builder->open[builder->depth - 1];
    int status = json_object_is_type(parent, json_type_array)
                     ? json_object_array_add(parent, take_object)
                     : json_object_object_add_ex(parent, builder->name.bytes, take_object, 0);
    if (status == 0)
        return true;
    json_object_put(take_object);
    return error_out_of_memory(error);
}

/* NULL: its allocation failed. */
static bool builder_add_made(struct json_builder *builder, struct json_object *take_object,
                             struct error *error)
{
    if (take_object == NULL)
        return error_out_of_memory(error);
    return builder_add(builder, take_object, error);
}

static bool builder_add_string(struct json_builder *builder, const struct json_token *token,
                               struct error *error)
{
    if (memchr(token->text, '\\', token->length) == NULL) /* it stands for itself */
        return builder_add_made(builder,
                                json_object_new_string_len(token->text, (int)token->length), error);
    buffer_clear(&builder->text);
    if (!json_string_unescape(token->text, token->length, &builder->text, error))
        return false;
    return builder_add_made(
        builder, json_object_new_string_len(builder->text.bytes, (int)builder->text.length), error);
}

/* An integer where one fits; otherwise a double that remembers how it was written, so that writing
 * it again changes nothing. */
static struct json_object *number_create(const char *text)
{
    bool is_integer = text[strcspn(text, ".eE")] == '\0';
    errno = 0;
    int64_t integer = is_integer ? strtoll(text, NULL, 10) : 0;
    if (is_integer && errno == 0)
        return json_object_new_int64(integer);
    return json_object_new_double_s(strtod(text, NULL), text);
}

static bool builder_add_number(struct json_builder *builder, const struct json_token *token,
                               struct error *error)
{
    buffer_clear(&builder->text); /* the token has no terminator, strtod needs one */
    if (!buffer_append(&builder->text, token->text, token->length, error))
        return false;
    return builder_add_made(builder, number_create(builder->text.bytes), error);
}

static bool builder_open(struct json_builder *builder, struct json_object *take_container,
                         struct error *error)
{
    if (!builder_add_made(builder, take_container, error))
        return false;
    assert(builder->depth < sizeof builder->open / sizeof builder->open[0]);
    builder->open[builder->depth++] = take_container;
    return true;
}

static bool builder_take_token(struct json_builder *builder, const struct json_token *token,
                               struct error *error)
{
    switch (token->kind) {
    case JSON_TOKEN_NULL:
        return builder_add(builder, NULL, error);
    case JSON_TOKEN_FALSE:
    case JSON_TOKEN_TRUE:
        return builder_add_made(builder, json_object_new_boolean(token->kind == JSON_TOKEN_TRUE),
                                error);
    case JSON_TOKEN_NUMBER:
        return builder_add_number(builder, token, error);
    case JSON_TOKEN_STRING:
        return builder_add_string(builder, token, error);
    case JSON_TOKEN_NAME:
        buffer_clear(&builder->name);
        return json_string_unescape(token->text, token->length, &builder->name, error);
    case JSON_TOKEN_ARRAY_OPEN:
        return builder_open(builder, json_object_new_array(), error);
    case JSON_TOKEN_OBJECT_OPEN:
        return builder_open(builder, json_object_new_object(), error);
    case JSON_TOKEN_ARRAY_CLOSE:
    case JSON_TOKEN_OBJECT_CLOSE:
        assert(builder->depth > 0);
        builder->depth--;
        return true;
    case JSON_TOKEN_END:
        return true;
    }
    return true;
}

/* What json-c 0.16 allocates for one, with its entry in the container around it. The texts of
 * strings and names are left out: they are bounded by the document. */
static size_t cost_of(enum json_token_kind kind)
{
    static const size_t costs[] = {
        [JSON_TOKEN_NULL] = 8,         [JSON_TOKEN_FALSE] = 64,      [JSON_TOKEN_TRUE] = 64,
        [JSON_TOKEN_NUMBER] = 72,      [JSON_TOKEN_STRING] = 72,     [JSON_TOKEN_NAME] = 64,
        [JSON_TOKEN_ARRAY_OPEN] = 384, [JSON_TOKEN_ARRAY_CLOSE] = 0, [JSON_TOKEN_OBJECT_OPEN] = 800,
        [JSON_TOKEN_OBJECT_CLOSE] = 0,
    };
    assert((size_t)kind < sizeof costs / sizeof costs[0]);
    return costs[kind];
}

static bool count_token(struct json_builder *builder, const struct json_scanner *scanner,
                        enum json_token_kind kind, struct error *error)
{
    builder->cost += cost_of(kind);
    return builder->cost <= JSON_TREE_BYTES_MAX ||
           error_set(error, ERROR_INVALID, "at byte %zu: more values than %d MiB of memory hold",
                     scanner->position, JSON_TREE_BYTES_MAX / (1024 * 1024));
}

bool json_builder_read(struct json_builder *builder, struct json_scanner *scanner,
                       const struct json_token *first, struct error *error)
{
    struct json_token token;
    if (first != NULL)
        token = *first;
    else if (!json_scanner_next(scanner, &token, error))
        return false;
    while (count_token(builder, scanner, token.kind, error) &&
           builder_take_token(builder, &token, error)) {
        if (builder->depth == 0)
            return true;
        if (!json_scanner_next(scanner, &token, error))
            return false;
    }
    return false;
}
