/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/*
 * json-c gives the tree, not the parser: its tokener (0.16) forgives much, and when an allocation
 * fails it crashes or leaves strings cut short without a word. So the scanner reads, and the tree
 * is built here with every step checked.
 */
#include "lib/base/json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_scanner.h"
#include "lib/base/json_string.h"

/* json-c has a type of our function's name. */
#define json_type json_c_type
#include <json-c/json.h>
#undef json_type

struct json {
    struct json_object *root; /* owned; NULL is json-c's null */
};

struct builder {
    struct json_object *root; /* owned */
    /* Borrowed: the first is the root, each is in the one before. */
    struct json_object *open[JSON_DEPTH_MAX];
    size_t depth;
    struct buffer name; /* of the member whose value comes next */
    struct buffer text; /* of the string or number being made */
};

static void builder_init(struct builder *builder, size_t length)
{
    *builder = (struct builder){.root = NULL};
    buffer_init(&builder->name, length);
    buffer_init(&builder->text, length);
}

static void builder_fini(struct builder *builder)
{
    json_object_put(builder->root);
    buffer_fini(&builder->name);
    buffer_fini(&builder->text);
}

/* Takes the object, also on failure. */
static bool builder_add(struct builder *builder, struct json_object *take_object,
                        struct error *error)
{
    if (builder->depth == 0) {
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
static bool builder_add_made(struct builder *builder, struct json_object *take_object,
                             struct error *error)
{
    if (take_object == NULL)
        return error_out_of_memory(error);
    return builder_add(builder, take_object, error);
}

static bool builder_add_string(struct builder *builder, const struct json_token *token,
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

static bool builder_add_number(struct builder *builder, const struct json_token *token,
                               struct error *error)
{
    buffer_clear(&builder->text); /* the token has no terminator, strtod needs one */
    if (!buffer_append(&builder->text, token->text, token->length, error))
        return false;
    return builder_add_made(builder, number_create(builder->text.bytes), error);
}

static bool builder_open(struct builder *builder, struct json_object *take_container,
                         struct error *error)
{
    if (!builder_add_made(builder, take_container, error))
        return false;
    builder->open[builder->depth++] = take_container;
    return true;
}

static bool builder_take_token(struct builder *builder, const struct json_token *token,
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
        builder->depth--;
        return true;
    case JSON_TOKEN_END:
        return true;
    }
    return true;
}

static bool builder_read(struct builder *builder, const char *text, size_t length,
                         struct error *error)
{
    struct json_scanner scanner;
    struct json_token token;
    json_scanner_init(&scanner, text, length);
    size_t count = 0;
    do {
        if (count++ == JSON_TOKENS_MAX)
            return error_set(error, ERROR_INVALID, "at byte %zu: more than %d values",
                             scanner.position, JSON_TOKENS_MAX);
        if (!json_scanner_next(&scanner, &token, error) ||
            !builder_take_token(builder, &token, error))
            return false;
    } while (token.kind != JSON_TOKEN_END);
    return true;
}

struct json *json_parse(const char *text, size_t length, struct error *error)
{
    if (length > INT_MAX) { /* json-c counts in int */
        (void)error_set(error, ERROR_INVALID, "longer than %d bytes", INT_MAX);
        return NULL;
    }
    struct builder builder;
    builder_init(&builder, length);
    struct json *json = NULL;
    if (builder_read(&builder, text, length, error)) {
        json = malloc(sizeof *json);
        if (json == NULL)
            (void)error_out_of_memory(error);
        else
            *json = (struct json){.root = STEAL(builder.root)};
    }
    builder_fini(&builder);
    return json;
}

void json_destroy(struct json *json)
{
    if (json == NULL)
        return;
    json_object_put(json->root);
    free(json);
}

/* A json_value is a json-c object whose borrower only looks; json-c's getters take no const. */
static struct json_object *object_of(const struct json_value *value)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (struct json_object *)(uintptr_t)value;
}

static const struct json_value *value_of(const struct json_object *object)
{
    return (const struct json_value *)object;
}

const struct json_value *json_root(const struct json *json)
{
    return value_of(json->root);
}

enum json_type json_type(const struct json_value *value)
{
    static const enum json_type types[] = {
        [json_type_null] = JSON_NULL,     [json_type_boolean] = JSON_BOOLEAN,
        [json_type_double] = JSON_NUMBER, [json_type_int] = JSON_NUMBER,
        [json_type_object] = JSON_OBJECT, [json_type_array] = JSON_ARRAY,
        [json_type_string] = JSON_STRING,
    };
    return types[json_object_get_type(object_of(value))];
}

static bool find_member(const struct json_value *object, const char *name, struct json_object **out)
{
    return json_type(object) == JSON_OBJECT &&
           json_object_object_get_ex(object_of(object), name, out);
}

const struct json_value *json_member(const struct json_value *object, const char *name)
{
    struct json_object *member = NULL;
    (void)find_member(object, name, &member); /* NULL then */
    return value_of(member);
}

bool json_has_member(const struct json_value *object, const char *name)
{
    struct json_object *member;
    return find_member(object, name, &member);
}

bool json_text(const struct json_value *value, struct json_text *out)
{
    if (json_type(value) != JSON_STRING)
        return false;
    struct json_object *object = object_of(value);
    out->bytes = json_object_get_string(object);
    out->length = (size_t)json_object_get_string_len(object);
    return true;
}

bool json_member_text(const struct json_value *object, const char *name, struct json_text *out)
{
    return json_text(json_member(object, name), out);
}

bool json_member_integer(const struct json_value *object, const char *name, int64_t *out)
{
    struct json_object *member = NULL;
    if (!find_member(object, name, &member) || !json_object_is_type(member, json_type_int))
        return false;
    *out = json_object_get_int64(member);
    return true;
}

bool json_member_at(const struct json_value *object, size_t index, const char **out_name,
                    const struct json_value **out_value)
{
    if (json_type(object) != JSON_OBJECT)
        return false;
    struct json_object_iterator at = json_object_iter_begin(object_of(object));
    struct json_object_iterator end = json_object_iter_end(object_of(object));
    for (; index > 0 && !json_object_iter_equal(&at, &end); index--)
        json_object_iter_next(&at);
    if (json_object_iter_equal(&at, &end))
        return false;
    *out_name = json_object_iter_peek_name(&at);
    *out_value = value_of(json_object_iter_peek_value(&at));
    return true;
}

size_t json_array_length(const struct json_value *array)
{
    return json_type(array) == JSON_ARRAY ? json_object_array_length(object_of(array)) : 0;
}

const struct json_value *json_array_item(const struct json_value *array, size_t index)
{
    if (index >= json_array_length(array))
        return NULL;
    return value_of(json_object_array_get_idx(object_of(array), index));
}

static bool write_text(struct buffer *buffer, const char *text, struct error *error)
{
    return json_append_string(buffer, text, strlen(text), error);
}

/* NOLINTBEGIN(misc-no-recursion): no deeper than JSON_DEPTH_MAX */
static bool write_array(struct buffer *buffer, const struct json_value *array, struct error *error)
{
    if (!buffer_append_text(buffer, "[", error))
        return false;
    for (size_t i = 0; i < json_array_length(array); i++) {
        if ((i > 0 && !buffer_append_text(buffer, ",", error)) ||
            !json_write(buffer, json_array_item(array, i), error))
            return false;
    }
    return buffer_append_text(buffer, "]", error);
}

static bool write_object(struct buffer *buffer, struct json_object *object, struct error *error)
{
    struct json_object_iterator member = json_object_iter_begin(object);
    struct json_object_iterator end = json_object_iter_end(object);
    const char *separator = "{";
    if (json_object_iter_equal(&member, &end) && !buffer_append_text(buffer, "{", error))
        return false;
    for (; !json_object_iter_equal(&member, &end); json_object_iter_next(&member)) {
        if (!buffer_append_text(buffer, separator, error) ||
            !write_text(buffer, json_object_iter_peek_name(&member), error) ||
            !buffer_append_text(buffer, ":", error) ||
            !json_write(buffer, value_of(json_object_iter_peek_value(&member)), error))
            return false;
        separator = ",";
    }
    return buffer_append_text(buffer, "}", error);
}

static bool write_number(struct buffer *buffer, struct json_object *number, struct error *error)
{
    if (json_object_is_type(number, json_type_int))
        return buffer_append_format(buffer, error, "%" PRId64, json_object_get_int64(number));
    const char *written = json_object_get_userdata(number); /* what number_create gave it */
    return buffer_append_text(buffer, written, error);
}

static bool write_value(struct buffer *buffer, const struct json_value *value, struct error *error)
{
    struct json_object *object = object_of(value);
    switch (json_type(value)) {
    case JSON_NULL:
        return buffer_append_text(buffer, "null", error);
    case JSON_BOOLEAN:
        return buffer_append_text(buffer, json_object_get_boolean(object) ? "true" : "false",
                                  error);
    case JSON_NUMBER:
        return write_number(buffer, object, error);
    case JSON_STRING:
        return write_text(buffer, json_object_get_string(object), error);
    case JSON_ARRAY:
        return write_array(buffer, value, error);
    case JSON_OBJECT:
        return write_object(buffer, object, error);
    }
    return error_set(error, ERROR_INVALID, "an unknown type");
}

bool json_write(struct buffer *buffer, const struct json_value *value, struct error *error)
{
    size_t before = buffer->length;
    if (write_value(buffer, value, error))
        return true;
    buffer_truncate(buffer, before);
    return false;
}
/* NOLINTEND(misc-no-recursion) */
