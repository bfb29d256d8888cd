/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/sandbox/signal_input.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/clock.h"

#include "service/sandbox/json_reading.h"

static const struct input_field {
    const char *name;
    enum json_type type;
    bool is_required;
} input_fields[] = {
    {"typeCode", JSON_STRING, true},
    {"token", JSON_STRING, false},
    {"timestamp", JSON_STRING, false},
    {"candidateApplicationProfileId", JSON_STRING, false},
    {"positionProfileIds", JSON_ARRAY, false},
    {"current", JSON_OBJECT, false},
    {"previous", JSON_OBJECT, false},
};
enum { INPUT_FIELD_COUNT = sizeof input_fields / sizeof input_fields[0] };

static const struct type_code {
    const char *name;
    bool needs_seek_token;
} type_codes[] = {
    {"ApplicationComplete", true},
    {"ApplicationStatusUpdate", false}, /* may name the application by its profile id instead */
    {"PositionStatusUpdate", false},
};

void signal_input_read(const struct json_value *input, struct signal_input *out)
{
    *out = (struct signal_input){.type_code = {NULL, 0}};
    (void)json_member_text(input, "typeCode", &out->type_code);
    (void)json_member_text(input, "token", &out->seek_token);
    (void)json_member_text(input, "timestamp", &out->timestamp);
}

static bool fail_with(char reason[REASON_BYTES], const char *where, const char *what)
{
    (void)snprintf(reason, REASON_BYTES, "Variable \"$input\" got invalid value%s; %s", where,
                   what);
    return false;
}

static bool is_known(const void *context, const char *name, size_t length)
{
    (void)context;
    for (size_t i = 0; i < INPUT_FIELD_COUNT; i++)
        if (strlen(input_fields[i].name) == length &&
            memcmp(input_fields[i].name, name, length) == 0)
            return true;
    return false;
}

static bool check_field(const struct input_field *field, const struct json_value *input,
                        char reason[REASON_BYTES])
{
    char text[REASON_BYTES / 2];
    enum json_type type = json_type(json_member(input, field->name));
    if (type == JSON_NULL && field->is_required) {
        (void)snprintf(text, sizeof text,
                       "Field \"%s\" of required type \"String!\" was not provided.", field->name);
        return fail_with(reason, "", text);
    }
    if (type == JSON_NULL || type == field->type)
        return true;
    (void)snprintf(text, sizeof text, " at \"input.%s\"", field->name);
    return fail_with(reason, text, "it has the wrong type.");
}

/* SEEK's DateTime is the date-time of RFC 3339 at UTC. */
static bool is_utc_date_time(struct json_text text)
{
    int64_t wall_ms;
    return text.length > 0 && ascii_lower(text.bytes[text.length - 1]) == 'z' &&
           rfc3339_parse(text.bytes, text.length, &wall_ms);
}

bool signal_input_check_shape(const struct json_value *input, char reason[REASON_BYTES])
{
    if (json_type(input) != JSON_OBJECT)
        return fail_with(reason, "", "Expected type \"SendSignalInput\" to be an object.");
    char name[MEMBER_NAME_BYTES];
    if (json_unknown_member(input, is_known, NULL, name)) {
        char text[REASON_BYTES / 2 + MEMBER_NAME_BYTES];
        (void)snprintf(text, sizeof text,
                       "Field \"%s\" is not defined by type \"SendSignalInput\".", name);
        return fail_with(reason, "", text);
    }
    for (size_t i = 0; i < INPUT_FIELD_COUNT; i++)
        if (!check_field(&input_fields[i], input, reason))
            return false;
    struct json_text timestamp;
    if (json_member_text(input, "timestamp", &timestamp) && !is_utc_date_time(timestamp))
        return fail_with(reason, " at \"input.timestamp\"",
                         "DateTime is an RFC 3339 date-time at UTC, such as "
                         "2020-01-02T00:00:00.000Z.");
    return true;
}

/* SEEK calls the seek-token opaque; what it documents as not valid is additional encoding and
 * white space. */
static bool is_seek_token_valid(struct json_text seek_token)
{
    for (const char *c = seek_token.bytes; *c != '\0'; c++)
        if (ascii_is_space_or_control(*c) || ascii_is_percent_escape(c))
            return false;
    return seek_token.length > 0;
}

bool signal_input_check_values(const struct signal_input *input, char reason[REASON_BYTES])
{
    const struct type_code *type = NULL;
    for (size_t i = 0; i < sizeof type_codes / sizeof type_codes[0]; i++)
        if (strcmp(type_codes[i].name, input->type_code.bytes) == 0)
            type = &type_codes[i];
    const char *field = type == NULL ? "typeCode" : "token";
    bool is_fine =
        type != NULL && (input->seek_token.bytes == NULL ? !type->needs_seek_token
                                                         : is_seek_token_valid(input->seek_token));
    if (!is_fine)
        (void)snprintf(reason, REASON_BYTES, "/input/%s: Is not valid", field);
    return is_fine;
}
