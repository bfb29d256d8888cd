/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "lib/base/json.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json_builder.h"
#include "lib/base/json_scanner.h"
#include "lib/base/json_string.h"

/* json-c has a type of our function's name. */
#define json_type json_c_type
#include <json-c/json.h>
#undef json_type

struct json {
    struct json_object *root; /* owned; NULL is json-c's null */
};

static struct json *json_of(struct json_object *take_root, struct error *error)
{
    struct json *json = malloc(sizeof *json);
    if (json == NULL) {
        json_object_put(take_root);
        (void)error_out_of_memory(error);
        return NULL;
    }
    *json = (struct json){.root = take_root};
    return json;
}

/* The value that begins with the next token, or with `first` when that was read already. */
static struct json *read_value(struct json_scanner *scanner, const struct json_token *first,
                               struct error *error)
{
    struct json_builder builder;
    json_builder_init(&builder, scanner->length);
    struct json *json = json_builder_read(&builder, scanner, first, error)
                            ? json_of(STEAL(builder.root), error)
                            : NULL;
    json_builder_fini(&builder);
    return json;
}

static bool is_countable(size_t length, struct error *error)
{
    /* json-c counts in int */
    return length <= INT_MAX || error_set(error, ERROR_INVALID, "longer than %d bytes", INT_MAX);
}

struct json *json_parse(const char *text, size_t length, struct error *error)
{
    struct json_scanner scanner;
    struct json_token end;
    if (!is_countable(length, error))
        return NULL;
    json_scanner_init(&scanner, text, length);
    struct json *json = read_value(&scanner, NULL, error);
    if (json != NULL && json_scanner_next(&scanner, &end, error))
        return json;
    json_destroy(json);
    return NULL;
}

bool json_items_open(struct json_scanner *items, const char *text, size_t length)
{
    struct json_token token;
    json_scanner_init(items, text, length);
    return length <= INT_MAX && json_scanner_next(items, &token, NULL) &&
           token.kind == JSON_TOKEN_ARRAY_OPEN;
}

bool json_items_next(struct json_scanner *items, struct json **out, const char **out_text,
                     size_t *out_length, struct error *error)
{
    struct json_token token;
    size_t start = items->position;
    *out = NULL;
    if (!json_scanner_next(items, &token, error))
        return false;
    if (token.kind == JSON_TOKEN_ARRAY_CLOSE)
        return json_scanner_next(items, &token, error); /* the end of the text */
    *out = read_value(items, &token, error);
    start += strspn(items->text + start, " \t\n\r,"); /* it ends at the item, which is there */
    *out_text = items->text + start;
    *out_length = items->position - start;
    return *out != NULL;
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

size_t json_member_count(const struct json_value *object)
{
    assert(json_type(object) == JSON_OBJECT);
    return (size_t)json_object_object_length(object_of(object));
}

bool json_member_number(const struct json_value *object, const char *name, double *out)
{
    struct json_object *member;
    if (!find_member(object, name, &member) || json_type(value_of(member)) != JSON_NUMBER)
        return false;
    *out = json_object_get_double(member);
    return true;
}

bool json_is_true(const struct json_value *value)
{
    return json_type(value) == JSON_BOOLEAN && json_object_get_boolean(object_of(value));
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
