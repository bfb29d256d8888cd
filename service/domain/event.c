/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */
#include "service/domain/event.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/ascii.h"
#include "lib/base/json.h"
#include "lib/base/rfc3339.h"
#include "lib/base/utf8.h"

#include "service/domain/seek_token.h"

void event_destroy(struct event *event)
{
    if (event == NULL)
        return;
    free(event->application_id);
    free(event->seek_token);
    free(event->traceparent);
    free(event);
}

/* The C1 controls are U+0080 to U+009F, in UTF-8 0xC2 and a second byte below 0xA0. */
static bool has_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (ascii_is_control(text[i]))
            return true;
        if (text[i] == '\xc2' && i + 1 < length && (unsigned char)text[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static bool refuse_application_id(struct rejection *rejection, const char *detail)
{
    return rejection_set(
        rejection, REJECTED_APPLICATION_ID, "applicationId",
        "Send the id by which your system knows the application: 1 to 256 bytes of "
        "UTF-8 without control characters.",
        "%s", detail);
}

static const char *fault_of_id(const char *id, size_t length)
{
    if (length == 0)
        return "The application id is empty.";
    if (length > APPLICATION_ID_BYTES_MAX)
        return "The application id is longer than 256 bytes.";
    if (!utf8_is_valid(id, length))
        return "The application id is not UTF-8.";
    if (has_control(id, length))
        return "The application id holds a control character.";
    return NULL;
}

bool application_id_is_sound(const char *id, size_t length)
{
    return fault_of_id(id, length) == NULL;
}

/* In a URL these mean the same folder and the one above, percent-encoded too: clients and proxies
 * leave them out of a path before they send it (RFC 3986 section 5.2.4), so that nobody could ask
 * for such an application. They do so with whole segments alone. */
static bool is_dot_segment(const char *id, size_t length)
{
    return (length == 1 && id[0] == '.') || (length == 2 && id[0] == '.' && id[1] == '.');
}

bool application_id_check(const char *id, size_t length, struct rejection *rejection)
{
    const char *fault = fault_of_id(id, length);
    if (fault != NULL)
        return refuse_application_id(rejection, fault);
    if (is_dot_segment(id, length))
        return rejection_set(rejection, REJECTED_APPLICATION_ID, "applicationId",
                             "Send an id that is more than one or two dots.",
                             "The application id %s cannot stand in the path of a URL.",
                             length == 1 ? "." : "..");
    return true;
}

/* --- the members -------------------------------------------------------------------------- */

static bool keep(char **field, const char *bytes, size_t length, struct rejection *rejection)
{
    *field = strndup(bytes, length);
    return *field != NULL || rejection_out_of_memory(rejection);
}

bool event_keep_traceparent(struct event *event, const char *traceparent,
                            struct rejection *rejection)
{
    char known[TRACEPARENT_BYTES + 1];
    if (traceparent == NULL || !traceparent_read(traceparent, known))
        return true;
    return keep(&event->traceparent, known, TRACEPARENT_BYTES, rejection);
}

static bool read_type(struct event *event, struct json_text value, struct rejection *rejection)
{
    (void)event; /* the only type there is: nothing to keep */
    return strcmp(value.bytes, EVENT_TYPE) == 0 ||
           rejection_set(rejection, REJECTED_TYPE, "type",
                         "Send only completed applications, with type " EVENT_TYPE
                         " or without it.",
                         "The type is not " EVENT_TYPE ".");
}

static bool read_application_id(struct event *event, struct json_text value,
                                struct rejection *rejection)
{
    return application_id_check(value.bytes, value.length, rejection) &&
           keep(&event->application_id, value.bytes, value.length, rejection);
}

/* An empty one is what a form without the field gives: none. The stored one counts then, as it does
 * for a link without a seek-token. */
static bool read_token(struct event *event, struct json_text value, struct rejection *rejection)
{
    if (value.length == 0)
        return true;
    return seek_token_check(value.bytes, value.length, rejection) &&
           keep(&event->seek_token, value.bytes, value.length, rejection);
}

static bool read_application_uri(struct event *event, struct json_text value,
                                 struct rejection *rejection)
{
    if (event->seek_token != NULL)
        return rejection_set(rejection, REJECTED_TOKEN_AND_URI, "applicationUri",
                             "Send token or applicationUri, not both.",
                             "The event has a token and an applicationUri.");
    struct buffer token;
    buffer_init(&token, SEEK_TOKEN_BYTES_MAX);
    bool is_found = seek_token_from_uri(value.bytes, value.length, &token, rejection);
    bool is_read = is_found ? keep(&event->seek_token, token.bytes, token.length, rejection)
                            : rejection->code == REJECTED_NO_TOKEN;
    buffer_fini(&token);
    return is_read;
}

static bool read_completed_at(struct event *event, struct json_text value,
                              struct rejection *rejection)
{
    int64_t ms;
    if (!rfc3339_parse(value.bytes, value.length, &ms))
        return rejection_set(
            rejection, REJECTED_COMPLETED_AT, "completedAt",
            "Send RFC 3339 with an offset, such as 2026-01-02T03:04:05.678Z, or leave "
            "it out: then the moment of acceptance counts.",
            "completedAt is not an RFC 3339 date and time.");
    event->completed_at_ms = ms;
    return true;
}

/* In this order: applicationUri looks whether there was a token. */
static const struct member {
    const char *name;
    enum rejection_code code;
    bool (*read)(struct event *event, struct json_text value, struct rejection *rejection);
} members[] = {
    {"type", REJECTED_TYPE, read_type},
    {"applicationId", REJECTED_APPLICATION_ID, read_application_id},
    {"token", REJECTED_TOKEN, read_token},
    {"applicationUri", REJECTED_APPLICATION_URI, read_application_uri},
    {"completedAt", REJECTED_COMPLETED_AT, read_completed_at},
};

static bool read_member(struct event *event, const struct member *member,
                        const struct json_value *value, struct rejection *rejection)
{
    struct json_text text;
    if (!json_text(value, &text))
        return rejection_set(
            rejection, member->code, member->name,
            member->read == read_application_id ? "Send it as a JSON string."
                                                : "Send it as a JSON string, or leave it out.",
            "%s is %s.", member->name, json_type(value) == JSON_NULL ? "null" : "not a string");
    return member->read(event, text, rejection);
}

/* Most events are cleared by two searches: a name whose letters stand there once is there once,
 * unless an escape spells it another time. */
static bool is_repeated(const char *text, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    const char *first = memmem(text, length, name, name_length);
    if (first != NULL && memchr(text, '\\', length) == NULL) {
        const char *behind = first + name_length;
        if (memmem(behind, (size_t)(text + length - behind), name, name_length) == NULL)
            return false;
    }
    return json_repeats_member(text, length, name);
}

/* Serializers write null for what is not there. */
static bool is_absent(const struct member *member, const struct json_value *value)
{
    return member->read != read_application_id && json_type(value) == JSON_NULL;
}

static bool read_members(struct event *event, const struct json_value *value, const char *text,
                         size_t length, struct rejection *rejection)
{
    size_t unseen = json_member_count(value); /* most events have nothing behind the seek-token */
    for (size_t i = 0; i < sizeof members / sizeof members[0] && unseen > 0; i++) {
        const struct member *member = &members[i];
        if (!json_has_member(value, member->name))
            continue;
        unseen--;
        if (is_repeated(text, length, member->name))
            return rejection_set(rejection, REJECTED_REPEATED_MEMBER, member->name,
                                 "Send each member once.", "%s is there more than once.",
                                 member->name);
        const struct json_value *given = json_member(value, member->name);
        if (!is_absent(member, given) && !read_member(event, member, given, rejection))
            return false;
    }
    event->has_other_members = unseen > 0;
    if (event->application_id == NULL && json_has_member(value, "specversion"))
        return rejection_set(rejection, REJECTED_APPLICATION_ID, "applicationId",
                             "This looks like a CloudEvent: send Content-Type "
                             "application/cloudevents+json, or application/cloudevents-batch+json "
                             "for an array.",
                             "applicationId is missing.");
    if (event->application_id == NULL)
        return refuse_application_id(rejection, "applicationId is missing.");
    return true;
}

struct event *event_read(const struct json_value *value, const char *text, size_t length,
                         struct rejection *rejection)
{
    if (json_type(value) != JSON_OBJECT) {
        (void)rejection_set(rejection, REJECTED_NOT_AN_OBJECT, "",
                            "Send a JSON object with applicationId and token.",
                            "The event is not a JSON object.");
        return NULL;
    }
    struct event *event = calloc(1, sizeof *event);
    if (event == NULL) {
        (void)rejection_out_of_memory(rejection);
        return NULL;
    }
    event->completed_at_ms = EVENT_COMPLETED_AT_UNKNOWN;
    if (read_members(event, value, text, length, rejection))
        return event;
    event_destroy(event);
    return NULL;
}
