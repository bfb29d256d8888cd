/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/field.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/ascii.h"

#include "service/sandbox/json_reading.h"

struct codec {
    bool (*read)(const struct field *field, const struct json_value *value, void *slot);
    bool (*write)(const struct field *field, const void *slot, struct buffer *buffer,
                  struct error *error);
    const char *expected;
};

static bool read_integer(const struct field *field, const struct json_value *value, void *slot)
{
    double number = 0;
    if (!json_fraction(value, &number) || number < (double)field->min ||
        number > (double)field->max || number != (double)(int64_t)number)
        return false;
    *(int64_t *)slot = (int64_t)number;
    return true;
}

static bool write_integer(const struct field *field, const void *slot, struct buffer *buffer,
                          struct error *error)
{
    (void)field;
    return buffer_append_format(buffer, error, "%" PRId64, *(const int64_t *)slot);
}

static bool read_fraction(const struct field *field, const struct json_value *value, void *slot)
{
    double number = 0;
    if (!json_fraction(value, &number) || number < (double)field->min ||
        number > (double)field->max)
        return false;
    *(double *)slot = number;
    return true;
}

static bool write_fraction(const struct field *field, const void *slot, struct buffer *buffer,
                           struct error *error)
{
    (void)field;
    return buffer_append_format(buffer, error, "%.6g", *(const double *)slot);
}

static bool read_boolean(const struct field *field, const struct json_value *value, void *slot)
{
    (void)field;
    return json_boolean(value, slot);
}

static bool write_boolean(const struct field *field, const void *slot, struct buffer *buffer,
                          struct error *error)
{
    (void)field;
    return buffer_append_text(buffer, *(const bool *)slot ? "true" : "false", error);
}

static bool read_true_or_null(const struct field *field, const struct json_value *value, void *slot)
{
    bool is_true = false;
    if (json_type(value) != JSON_NULL && (!json_boolean(value, &is_true) || !is_true))
        return false;
    (void)field;
    *(bool *)slot = is_true;
    return true;
}

static bool write_true_or_null(const struct field *field, const void *slot, struct buffer *buffer,
                               struct error *error)
{
    (void)field;
    return buffer_append_text(buffer, *(const bool *)slot ? "true" : "null", error);
}

static bool read_text(const struct field *field, const struct json_value *value, void *slot)
{
    struct json_text text = {.bytes = "", .length = 0};
    if (json_type(value) != JSON_NULL && !json_text(value, &text))
        return false;
    if (text.length > (size_t)field->max)
        return false;
    memcpy(slot, text.bytes, text.length + 1);
    return true;
}

static bool write_text(const struct field *field, const void *slot, struct buffer *buffer,
                       struct error *error)
{
    (void)field;
    return json_append_string(buffer, slot, strlen(slot), error);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (!ascii_is_printable(*text))
            return false;
    return true;
}

static bool read_header(const struct field *field, const struct json_value *value, void *slot)
{
    if (json_type(value) != JSON_NUMBER)
        return read_text(field, value, slot) && is_printable(slot);
    struct buffer digits;
    buffer_init(&digits, (size_t)field->max);
    bool is_written = json_write(&digits, value, NULL);
    if (is_written)
        memcpy(slot, digits.bytes, digits.length + 1);
    buffer_fini(&digits);
    return is_written;
}

static bool read_choice(const struct field *field, const struct json_value *value, void *slot)
{
    struct json_text text;
    if (!json_text(value, &text))
        return false;
    for (unsigned i = 0; field->choices[i] != NULL; i++)
        if (strcmp(field->choices[i], text.bytes) == 0) {
            *(unsigned *)slot = i;
            return true;
        }
    return false;
}

static bool write_choice(const struct field *field, const void *slot, struct buffer *buffer,
                         struct error *error)
{
    const char *name = field->choices[*(const unsigned *)slot];
    return json_append_string(buffer, name, strlen(name), error);
}

static const struct codec codecs[] = {
    [FIELD_INTEGER] = {read_integer, write_integer, "an integer from"},
    [FIELD_FRACTION] = {read_fraction, write_fraction, "a number from"},
    [FIELD_BOOLEAN] = {read_boolean, write_boolean, "true or false"},
    [FIELD_TRUE_OR_NULL] = {read_true_or_null, write_true_or_null, "true or null"},
    [FIELD_TEXT] = {read_text, write_text, "a string or null, in bytes from"},
    [FIELD_HEADER] = {read_header, write_text, "a number or printable text, in bytes from"},
    [FIELD_CHOICE] = {read_choice, write_choice, "one of"},
};

static bool explain(const struct field *field, struct error *error)
{
    const char *expected = codecs[field->type].expected;
    if (field->type == FIELD_BOOLEAN || field->type == FIELD_TRUE_OR_NULL)
        return error_set(error, ERROR_INVALID, "%s: expected %s", field->name, expected);
    if (field->type != FIELD_CHOICE)
        return error_set(error, ERROR_INVALID, "%s: expected %s %" PRId64 " to %" PRId64,
                         field->name, expected, field->min, field->max);
    struct buffer list;
    buffer_init(&list, ERROR_MESSAGE_BYTES);
    for (size_t i = 0; field->choices[i] != NULL; i++)
        /* A list too long for a message is cut, like the message itself. */
        (void)!buffer_append_format(&list, NULL, "%s%s", i == 0 ? "" : ", ", field->choices[i]);
    (void)error_set(error, ERROR_INVALID, "%s: expected one of %s", field->name, list.bytes);
    buffer_fini(&list);
    return false;
}

struct table {
    const struct field *fields;
    size_t count;
};

static bool is_known(const void *context, const char *name, size_t length)
{
    const struct table *table = context;
    for (size_t i = 0; i < table->count; i++)
        if (strlen(table->fields[i].name) == length &&
            memcmp(table->fields[i].name, name, length) == 0)
            return true;
    return false;
}

bool fields_read(const struct field *fields, size_t count, const struct json_value *object,
                 void *out, struct error *error)
{
    if (json_type(object) != JSON_OBJECT)
        return error_set(error, ERROR_INVALID, "expected a JSON object");
    char name[MEMBER_NAME_BYTES];
    if (json_unknown_member(object, is_known, &(struct table){fields, count}, name))
        return error_set(error, ERROR_INVALID, "%s: there is no such member", name);
    for (const struct field *field = fields; field < fields + count; field++) {
        if (!json_has_member(object, field->name))
            continue;
        if (!codecs[field->type].read(field, json_member(object, field->name),
                                      (char *)out + field->offset))
            return explain(field, error);
    }
    return true;
}

bool fields_write(const struct field *fields, size_t count, const void *in, struct buffer *buffer,
                  struct error *error)
{
    const char *separator = "";
    for (const struct field *field = fields; field < fields + count; field++) {
        if (field->is_secret)
            continue;
        if (!buffer_append_format(buffer, error, "%s\"%s\":", separator, field->name) ||
            !codecs[field->type].write(field, (const char *)in + field->offset, buffer, error))
            return false;
        separator = ",";
    }
    return true;
}
