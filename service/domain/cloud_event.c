/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
/* CloudEvents 1.0.2 and its JSON event format: the envelope; what is inside is event.c's. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/rfc3339.h"

#include "service/domain/base64.h"
#include "service/domain/event.h"

static bool refuse(struct rejection *rejection, const char *field, const char *remedy,
                   const char *detail)
{
    return rejection_set(rejection, REJECTED_CLOUD_EVENT, field, remedy, "%s", detail);
}

static bool read_time(const char *time, int64_t *out_ms, struct rejection *rejection)
{
    *out_ms = EVENT_COMPLETED_AT_UNKNOWN;
    return time == NULL || rfc3339_parse(time, strlen(time), out_ms) ||
           rejection_set(rejection, REJECTED_COMPLETED_AT, "time",
                         "Send RFC 3339 with an offset, such as 2026-01-02T03:04:05.678Z, or "
                         "leave it out.",
                         "time is not an RFC 3339 date and time.");
}

bool event_cloud_attributes_check(const struct cloud_attributes *attributes, int64_t *out_time_ms,
                                  struct rejection *rejection)
{
    const struct {
        const char *name, *value;
    } required[] = {
        {"id", attributes->id},
        {"source", attributes->source},
        {"specversion", attributes->specversion},
        {"type", attributes->type},
    };
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (required[i].value == NULL || required[i].value[0] == '\0')
            return refuse(rejection, required[i].name,
                          "Send the attributes that CloudEvents 1.0 requires: id, source, "
                          "specversion and type.",
                          "A required attribute is missing, empty or not a string.");
    }
    assert(attributes->specversion != NULL && attributes->type != NULL);
    if (strcmp(attributes->specversion, "1.0") != 0)
        return refuse(rejection, "specversion", "Send CloudEvents with specversion 1.0.",
                      "The specversion is not 1.0.");
    if (strcmp(attributes->type, EVENT_TYPE) != 0)
        return rejection_set(rejection, REJECTED_TYPE, "type",
                             "Send only events of type " EVENT_TYPE " here.",
                             "The type is not " EVENT_TYPE ".");
    return read_time(attributes->time, out_time_ms, rejection);
}

void event_default_completed_at(struct event *event, int64_t time_ms)
{
    if (event->completed_at_ms == EVENT_COMPLETED_AT_UNKNOWN)
        event->completed_at_ms = time_ms;
}

/* NULL when it is absent or no string. */
static const char *attribute(const struct json_value *envelope, const char *name)
{
    struct json_text text;
    return json_member_text(envelope, name, &text) ? text.bytes : NULL;
}

/* A null is absent, as the JSON format has it; what is neither that nor text is no time. */
static const char *time_attribute(const struct json_value *envelope)
{
    const char *text = attribute(envelope, "time");
    return text == NULL && json_type(json_member(envelope, "time")) != JSON_NULL ? "" : text;
}

static bool check_envelope(const struct json_value *envelope, const char *text, size_t length,
                           int64_t *out_time_ms, struct rejection *rejection)
{
    static const char *const known[] = {"id",   "source", "specversion", "type",
                                        "time", "data",   "data_base64", "traceparent"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (json_has_member(envelope, known[i]) && json_repeats_member(text, length, known[i]))
            return rejection_set(rejection, REJECTED_REPEATED_MEMBER, known[i],
                                 "Send each member once.", "%s is there more than once.", known[i]);
    }
    const struct cloud_attributes attributes = {
        .id = attribute(envelope, "id"),
        .source = attribute(envelope, "source"),
        .specversion = attribute(envelope, "specversion"),
        .type = attribute(envelope, "type"),
        .time = time_attribute(envelope),
    };
    return event_cloud_attributes_check(&attributes, out_time_ms, rejection);
}

static struct event *read_decoded(const char *text, size_t length, struct rejection *rejection)
{
    struct error error;
    AUTO(json) *json = json_parse(text, length, &error);
    if (json != NULL)
        return event_read(json_root(json), text, length, rejection);
    if (error.kind == ERROR_MEMORY)
        (void)rejection_out_of_memory(rejection);
    else
        (void)rejection_set(rejection, REJECTED_NOT_JSON, "data_base64",
                            "Send the event as the JSON object data.", "Not JSON: %s.",
                            error.message);
    return NULL;
}

static struct event *read_base64(const struct json_value *data, struct rejection *rejection)
{
    struct json_text encoded = {.bytes = "", .length = 0};
    size_t length = 0;
    bool is_text = json_text(data, &encoded);
    char *decoded = malloc(encoded.length + 1);
    if (decoded == NULL) {
        (void)rejection_out_of_memory(rejection);
        return NULL;
    }
    struct event *event = NULL;
    if (is_text && base64_decode(encoded.bytes, encoded.length, decoded, &length))
        event = read_decoded(decoded, length, rejection);
    else
        (void)refuse(rejection, "data_base64", "Send the event as the JSON object data.",
                     "data_base64 is not a string of padded base64 (RFC 4648).");
    free(decoded);
    return event;
}

static struct event *read_data(const struct json_value *envelope, const char *text, size_t length,
                               struct rejection *rejection)
{
    bool has_base64 = json_has_member(envelope, "data_base64");
    if (json_has_member(envelope, "data") == has_base64) {
        (void)refuse(rejection, "data", "Send the event as the JSON object data.",
                     has_base64 ? "There are both data and data_base64." : "data is missing.");
        return NULL;
    }
    if (has_base64)
        return read_base64(json_member(envelope, "data_base64"), rejection);
    const struct json_value *data = json_member(envelope, "data");
    if (json_type(data) == JSON_OBJECT)
        return event_read(data, text, length, rejection);
    (void)rejection_set(
        rejection, REJECTED_NOT_AN_OBJECT, "data",
        "Send the event itself as data: a JSON object, not a string that holds one.",
        "data is not a JSON object.");
    return NULL;
}

struct event *event_read_cloud(const struct json_value *value, const char *text, size_t length,
                               struct rejection *rejection)
{
    if (json_type(value) != JSON_OBJECT) {
        (void)rejection_set(rejection, REJECTED_NOT_AN_OBJECT, "",
                            "Send a CloudEvent: a JSON object with specversion, id, source, type "
                            "and data.",
                            "The event is not a JSON object.");
        return NULL;
    }
    int64_t time_ms = EVENT_COMPLETED_AT_UNKNOWN;
    if (!check_envelope(value, text, length, &time_ms, rejection))
        return NULL;
    struct event *event = read_data(value, text, length, rejection);
    if (event == NULL)
        return NULL;
    event_default_completed_at(event, time_ms);
    if (event_keep_traceparent(event, attribute(value, "traceparent"), rejection))
        return event;
    event_destroy(event);
    return NULL;
}
